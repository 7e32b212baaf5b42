"""Exposures of an application: recorded beside the answer, and never in its way."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import allotment
from allotment.errors import StoreError
from allotment.exposures import CallableSink, Exposure, Exposures, Refused
from allotment.exposures.exposures import ExposureCounts
from allotment.exposures.recording import PAUSE_MAX, Recording
from allotment.model.assignment import Assignment, Frozen, Reason
from allotment.testing import ForcedEngine

GREEN = Assignment("checkout", "green", Reason.ALLOCATED, Frozen(), False, 1, 7)

CATALOG = """
allotment: 1
flags:
  button: {default: grey, variations: {grey: grey, green: green}, experiments: [checkout]}
experiments:
  checkout:
    state: running
    treatments: {control: {control: true, sets: {button: grey}}, green: {sets: {button: green}}}
    allocations: [{key: everyone, weights: {control: 0, green: 100}}]
  paused:
    treatments: {control: {control: true}, green: {}}
    allocations: [{weights: {control: 0, green: 100}}]
"""


class Kept:
    """A sink that keeps what it takes, and fails as often as a test says."""

    def __init__(self, fails: int = 0, error: Exception | None = None) -> None:
        self.batches: list[Sequence[Exposure]] = []
        self.tried: list[Sequence[Exposure]] = []
        self.fails = fails
        self.error = error or StoreError("away")

    def write(self, batch: Sequence[Exposure], /) -> None:
        self.tried.append(batch)
        if len(self.tried) <= self.fails:
            raise self.error
        self.batches.append(batch)

    @property
    def units(self) -> list[str]:
        return [each.unit for batch in self.batches for each in batch]


def soon(holds: Any) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_answer_is_the_engines_and_its_treatment_is_recorded() -> None:
    engine, sink = allotment.load(CATALOG), Kept()
    with Exposures(engine, sink, space="shop/production", now=lambda: 1.5) as exposures:
        assert exposures.assign("checkout", 17) == engine.assign("checkout", 17)
        assert exposures.resolve("button", "b") == engine.resolve("button", "b")
        assert exposures.assign("paused", "c").treatment is None
        assert exposures.assign("nothing", "d").reason is Reason.UNKNOWN_EXPERIMENT
    first, second = (each for batch in sink.batches for each in batch)
    assert second.unit == "b"
    assert first.row() == {
        "unit": "17",
        "unit_kind": "user",
        "experiment": "checkout",
        "iteration": 1,
        "treatment": "green",
        "time": first.time,
        "revision": 1,
        "space": "shop/production",
        "allocation": "everyone",
        "reason": "ALLOCATED",
        "variations": '{"button":"green"}',
    }
    assert json.loads(first.line) == {**first.row(), "time": "1970-01-01T00:00:01.500Z"}
    assert (exposures.counts.exposures_written, exposures.counts.exposures_dropped) == (2, 0)


def test_an_exposure_is_written_once_while_it_is_remembered() -> None:
    sink = Kept()
    with Exposures(allotment.load(CATALOG), sink) as exposures:
        for _ in range(3):
            exposures.assign("checkout", "a")
            exposures.resolve("button", "a")
    assert sink.units == ["a"]


def test_it_is_written_without_an_end(tmp_path: Path) -> None:
    sink = Kept()
    exposures = Exposures(allotment.load(CATALOG), sink)
    exposures.assign("checkout", "a")
    soon(lambda: sink.units == ["a"])
    exposures.close()


def test_a_sink_that_hangs_keeps_no_caller_waiting_and_no_process() -> None:
    free = threading.Event()
    exposures = Exposures(allotment.load(CATALOG), CallableSink(lambda _: free.wait()), queue=100)
    begun = time.monotonic()
    for unit in range(1_000):
        exposures.assign("checkout", unit)
    assert time.monotonic() - begun < 5
    exposures.close(deadline=0.2)
    assert time.monotonic() - begun < 10
    assert exposures.counts.exposures_dropped == 1_000
    free.set()


def test_a_batch_that_failed_comes_again_as_it_was() -> None:
    sink = Kept(fails=2)
    with Exposures(allotment.load(CATALOG), sink) as exposures:
        exposures.assign("checkout", "a")
        soon(lambda: sink.tried)
        exposures.assign("checkout", "b")
    assert sink.units == ["a", "b"]
    assert [[each.unit for each in batch] for batch in sink.tried[:3]] == [["a"]] * 3
    assert exposures.counts.exposures_written == 2


def test_a_batch_that_is_refused_is_dropped_and_counted() -> None:
    sink = Kept(fails=1, error=Refused("never"))
    with Exposures(allotment.load(CATALOG), sink) as exposures:
        exposures.assign("checkout", "a")
        soon(lambda: sink.tried)
        exposures.assign("checkout", "b")
    assert sink.units == ["b"]
    assert (exposures.counts.exposures_written, exposures.counts.exposures_dropped) == (1, 1)


def test_pauses_grow_to_a_ceiling_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    sink = Kept(fails=10**9)
    recording = Recording(sink, ExposureCounts(), queue=10)
    recording.log(None, "user", "a", GREEN)
    for _ in range(60):
        with pytest.raises(StoreError):
            recording.step()
        tried = len(sink.tried)
        now[0] += 1e-6
        recording.step()  # it waits
        assert len(sink.tried) == tried
        pauses.append(recording._not_before - now[0])
        now[0] = recording._not_before
    assert pauses[0] <= 0.1
    assert all(PAUSE_MAX / 2 - 1 < pause <= PAUSE_MAX for pause in pauses[10:])
    assert len({round(pause, 3) for pause in pauses[10:]}) > 10


def test_what_cannot_be_written_by_the_deadline_is_counted() -> None:
    exposures = Exposures(allotment.load(CATALOG), Kept(fails=10**9))
    exposures.assign("checkout", "a")
    exposures.close(deadline=0.3)
    exposures.assign("checkout", "b")
    assert (exposures.counts.exposures_written, exposures.counts.exposures_dropped) == (0, 1)


def test_what_a_program_leaves_open_is_written_at_its_end(tmp_path: Path) -> None:
    program = f"""
import allotment
from allotment.exposures import Exposures, FileSink
exposures = Exposures(allotment.load({CATALOG!r}), FileSink("out"))
exposures.assign("checkout", "a")
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    (path,) = (tmp_path / "out").iterdir()
    assert json.loads(path.read_text())["unit"] == "a"


FORKING = """
import os, sys
import allotment
from allotment.exposures import Exposures, FileSink
exposures = Exposures(allotment.load(sys.argv[1]), FileSink("out"))
exposures.assign("checkout", "parent")
exposures._recording.step()
exposures.assign("checkout", "parent-waits")
exposures._lock.acquire()
child = os.fork()
if child == 0:
    exposures.assign("checkout", "child")
    exposures.close()
    os._exit(0)
exposures._lock.release()
assert os.waitpid(child, 0)[1] == 0
exposures.close()
"""


def test_a_child_process_writes_its_own_and_nothing_of_its_parent(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    command = [sys.executable, "-c", FORKING, "catalog.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    found = [path.read_text().splitlines() for path in (tmp_path / "out").iterdir()]
    units = sorted([json.loads(line)["unit"] for line in lines] for lines in found)
    assert units == [["child"], ["parent", "parent-waits"]]


def test_every_thread_counts_what_it_drops() -> None:
    exposures = Exposures(allotment.load(CATALOG), Kept(fails=10**9), queue=50)
    work = [threading.Thread(target=ask, args=(exposures, name)) for name in "abcd"]
    for each in work:
        each.start()
    for each in work:
        each.join()
    exposures.close(deadline=0)
    assert exposures.counts.exposures_dropped == 4_000


def ask(exposures: Exposures, name: str) -> None:
    for number in range(1_000):
        exposures.assign("checkout", f"{name}{number}")


def test_what_a_test_forces_is_recorded() -> None:
    engine, sink = ForcedEngine(), Kept()
    with Exposures(engine, sink) as exposures, engine.forced(checkout="blue"):
        exposures.assign("checkout", "a")
    assert [each.treatment for each in sink.batches[0]] == ["blue"]


def test_a_queue_of_nothing_is_refused() -> None:
    with pytest.raises(allotment.InvalidInput, match="at least one"):
        Exposures(allotment.load(CATALOG), Kept(), queue=0)
