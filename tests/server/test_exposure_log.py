"""ExposureLog: what is logged, once, in files that are whole; what is not is counted."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import allotment
from allotment.errors import InvalidInput
from allotment.exposures import FileSink, signature
from allotment.exposures.file import File
from allotment.exposures.files import Form
from allotment.exposures.recording import WINDOW
from allotment.exposures.seen import Seen
from allotment.model.assignment import Assignment, Frozen, Reason
from allotment.server.counters import Counters
from allotment.server.exposure_log import ExposureLog
from allotment.server.settings import Settings
from allotment.server.sync.threads import Threads
from exposures.test_webhook import receiver
from server.assign.asking import Paths
from serving import SHOP, serving

SPACE = "default/production"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def given(treatment: str = "green", iteration: int = 1, experiment: str = "checkout") -> Assignment:
    sets = Frozen((("button", treatment),))
    return Assignment(experiment, treatment, Reason.ALLOCATED, sets, False, iteration, 7)


def files(
    form: Form, folder: Path, threads: Threads, *, queue: int = 100_000, **options: Any
) -> ExposureLog:
    """ExposureLog to files of the folder; not started yet."""
    now = options.get("now", lambda: NOON)
    return ExposureLog(FileSink(folder, form, **options), threads, queue=queue, now=now)


def running(folder: Path, **options: Any) -> ExposureLog:
    exposures = files("ndjson", folder, Threads(Counters()), **{"now": lambda: NOON, **options})
    exposures.start()
    return exposures


def counted(exposures: ExposureLog) -> tuple[int, int]:
    counters = exposures._recording.counts
    return counters.exposures_written, counters.exposures_dropped


def written(folder: Path) -> list[dict[str, Any]]:
    """Every exposure in every finished file of the folder."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.ndjson"), key=lambda path: path.stat().st_mtime_ns):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


def soon(holds: Any) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_exposure_says_who_got_what(tmp_path: Path) -> None:
    exposures = running(tmp_path)
    exposures.log(SPACE, "user", "17", given(), "nordics")
    exposures.close()
    assert written(tmp_path) == [
        {
            "unit": "17",
            "unit_kind": "user",
            "experiment": "checkout",
            "iteration": 1,
            "treatment": "green",
            "time": "2026-11-21T12:00:00.000Z",
            "revision": 7,
            "space": SPACE,
            "allocation": "nordics",
            "reason": "ALLOCATED",
            "variations": '{"button":"green"}',
        }
    ]
    assert counted(exposures) == (1, 0)


def test_an_exposure_is_written_once(tmp_path: Path) -> None:
    """It is another one if the experiment, the iteration, the unit or the treatment is."""
    exposures = running(tmp_path)
    for _ in range(3):
        exposures.log(SPACE, "user", "a", given())
        exposures.log(SPACE, "user", "b", given())
        exposures.log(SPACE, "user", "a", given("blue"))
        exposures.log(SPACE, "user", "a", given(iteration=2))
        exposures.log(SPACE, "user", "a", given(experiment="other"))
        exposures.log("default/test", "user", "a", given())
    exposures.close()
    found = written(tmp_path)
    assert len(found) == 6
    assert len({json.dumps(each) for each in found}) == 6


def test_the_memory_of_what_was_written_is_bounded() -> None:
    seen = Seen(100)
    for mark in range(10_000):
        assert seen.is_new(mark)
        assert len(seen) <= 200
        assert not any(seen.is_new(recent) for recent in range(max(0, mark - 40), mark + 1))
    assert seen.is_new(0)


def test_what_keeps_coming_is_never_written_again() -> None:
    seen = Seen(100)
    assert seen.is_new(-1)
    for mark in range(10_000):
        seen.is_new(mark)
        assert not seen.is_new(-1)


def test_the_window_is_as_documented() -> None:
    assert WINDOW == 131_072


def test_a_file_is_begun_anew_after_so_many_bytes(tmp_path: Path) -> None:
    exposures = running(tmp_path, rotate_bytes=10_000)
    for batch in range(10):
        for unit in range(100):
            exposures.log(SPACE, "user", f"{batch}-{unit}", given())
        soon(lambda count=100 * (batch + 1): counted(exposures)[0] == count)
    exposures.close()
    assert len(list(tmp_path.iterdir())) == 10
    assert len(written(tmp_path)) == 1_000


def test_a_file_is_begun_anew_after_so_many_seconds(tmp_path: Path) -> None:
    exposures = running(tmp_path, rotate_seconds=0.2)
    exposures.log(SPACE, "user", "a", given())
    soon(lambda: len(written(tmp_path)) == 1)
    exposures.log(SPACE, "user", "b", given())
    soon(lambda: len(written(tmp_path)) == 2)
    exposures.close()
    assert len(list(tmp_path.glob("*.ndjson"))) == 2


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    exposures = running(tmp_path)
    for unit in range(100):
        exposures.log(SPACE, "user", unit, given())
    soon(lambda: counted(exposures)[0] == 100)
    assert [path.suffix for path in tmp_path.iterdir()] == [".writing"]
    exposures.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".ndjson"]


def test_what_finds_the_queue_full_is_dropped_and_counted(tmp_path: Path) -> None:
    counters = Counters()
    exposures = files("ndjson", tmp_path, Threads(counters), queue=10)
    for unit in range(25):
        exposures.log(SPACE, "user", str(unit), given())
    assert counters.exposures_dropped == 15
    exposures.start()
    exposures.close()
    assert counted(exposures) == (10, 15)
    assert {each["unit"] for each in written(tmp_path)} == {str(unit) for unit in range(10)}


def test_an_exposure_that_cannot_be_spelled_costs_only_itself(tmp_path: Path) -> None:
    exposures = running(tmp_path)
    exposures.log(SPACE, "user", "before", given())
    exposures.log(SPACE, "user", "poison", given(), at=-(10**17))
    exposures.log(SPACE, "user", "after", given())
    soon(lambda: counted(exposures) == (2, 1))
    assert exposures._recording.counts.failures["exposures"] == 1
    exposures.log(SPACE, "user", "later", given())
    exposures.close()
    assert [each["unit"] for each in written(tmp_path)] == ["before", "after", "later"]


def test_a_file_that_cannot_be_finished_does_not_stop_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = File.finish

    def faulty(file: File) -> None:
        finish(file)
        raise KeyError("no OSError")

    monkeypatch.setattr(File, "finish", faulty)
    exposures = running(tmp_path, rotate_bytes=1)
    for unit in ("a", "b"):
        exposures.log(SPACE, "user", unit, given())
        soon(lambda unit=unit: unit in {each["unit"] for each in written(tmp_path)})
    exposures.close()
    assert exposures._recording.counts.failures["exposures"] == 2


def test_every_exposure_is_written_or_counted_as_dropped(tmp_path: Path) -> None:
    exposures = running(tmp_path, queue=2_000)
    threads = [
        threading.Thread(target=log_many, args=(exposures, name, 5_000)) for name in ("a", "b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    exposures.close()
    count, dropped = counted(exposures)
    assert count == len(written(tmp_path))
    # Two threads may count one drop as one; a server logs from its event loop alone.
    assert 10_000 - 20 <= count + dropped <= 10_000


def log_many(exposures: ExposureLog, name: str, count: int) -> None:
    for number in range(count):
        exposures.log(SPACE, "user", f"{name}-{number}", given())


def test_a_full_disk_costs_no_exposure_that_finds_room_in_the_queue(tmp_path: Path) -> None:
    """As of a file that may not grow: what cannot be written waits, and is written later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    exposures = running(tmp_path, queue=50)
    exposures.log(SPACE, "user", "before", given())
    soon(lambda: counted(exposures)[0] == 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        exposures.log(SPACE, "user", "held", given())
        soon(lambda: exposures._recording.counts.failures["exposures"])
        for unit in range(60):
            exposures.log(SPACE, "user", str(unit), given())
        assert counted(exposures) == (1, 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    soon(lambda: counted(exposures)[0] == 52)
    exposures.close()
    units = [each["unit"] for each in written(tmp_path)]
    assert units == ["before", "held", *map(str, range(50))]


def test_what_cannot_be_written_by_the_end_is_counted(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    exposures = running(blocked / "exposures")
    for unit in range(5):
        exposures.log(SPACE, "user", str(unit), given())
    exposures.close(patience=0.5)
    assert counted(exposures) == (0, 5)


CRASH = """
import os, sys, time
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from server.test_exposure_log import files, given, running, counted, SPACE
from allotment.server.counters import Counters
from allotment.server.sync.threads import Threads
exposures = files(sys.argv[1], Path("."), Threads(Counters()))
exposures.start()
for unit in range(1000):
    exposures.log(SPACE, "user", str(unit), given())
while exposures._recording.counts.exposures_written < 1000:
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_what_a_crash_leaves_is_finished_at_the_next_start(tmp_path: Path, form: str) -> None:
    tests, source = Path(__file__).parents[1], Path(allotment.__file__).parents[1]
    paths = [str(each) for each in (tests, tests / "support", source)]
    subprocess.run([sys.executable, "-c", CRASH, form, *paths], cwd=tmp_path, check=False)
    left = list(tmp_path.iterdir())
    assert [path.suffix for path in left] == [".writing"]
    with left[0].open("ab") as file:
        file.write(b'{"at":"half a li')
    exposures = files(form, tmp_path, Threads(Counters()))  # type: ignore[arg-type]
    exposures.start()
    exposures.close()
    (path,) = tmp_path.iterdir()
    assert path.name == left[0].stem
    if form == "ndjson":
        assert [each["unit"] for each in written(tmp_path)] == [str(unit) for unit in range(1000)]
    else:
        assert pq.read_table(path).column("unit").to_pylist() == [str(u) for u in range(1000)]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    first, second = running(tmp_path), running(tmp_path)
    first.log(SPACE, "user", "a", given())
    soon(lambda: counted(first)[0] == 1)
    second.close()
    third = running(tmp_path)
    third.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".writing"]
    first.close()
    assert [each["unit"] for each in written(tmp_path)] == ["a"]


def test_what_a_bad_disk_made_of_a_file_is_kept_for_a_human(tmp_path: Path) -> None:
    (tmp_path / "exposures-20261121T120000Z-1-1.parquet.writing").write_bytes(b"\0\0\0\n\xff\n")
    (tmp_path / "exposures-20261121T120000Z-1-2.parquet.writing").write_bytes(b"")
    running(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["exposures-20261121T120000Z-1-1.partial"]


def test_parquet_has_the_same_exposures(tmp_path: Path) -> None:
    exposures = files("parquet", tmp_path, Threads(Counters()), now=lambda: NOON)
    exposures.start()
    for unit in range(100):
        exposures.log(SPACE, "user", f"ä{unit}\n", given(), "nordics" if unit else None)
    exposures.close()
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".parquet"
    rows = pq.read_table(path).to_pylist()
    assert [row["unit"] for row in rows] == [f"ä{unit}\n" for unit in range(100)]
    assert rows[1]["allocation"] == "nordics"
    assert rows[0] == {
        "time": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "space": SPACE,
        "experiment": "checkout",
        "iteration": 1,
        "allocation": None,
        "unit_kind": "user",
        "unit": "ä0\n",
        "treatment": "green",
        "reason": "ALLOCATED",
        "revision": 7,
        "variations": '{"button":"green"}',
    }


def test_a_file_appends_all_lines_or_none(tmp_path: Path) -> None:
    file = File.begin(tmp_path, "ndjson", NOON)
    file.append(b"one\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError):  # noqa: PT011  # whatever the system says
            file.append(b"two\n" * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    file.append(b"three\n")
    file.finish()
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"one\nthree\n"


def test_off_logs_nothing(tmp_path: Path) -> None:
    exposures = ExposureLog(None, Threads(Counters()))
    exposures.start()
    paths = Paths(allotment.load(SHOP).catalog, exposures)
    paths.ask("POST", "/v1/assign", {"unit": "a"})
    exposures.close()
    assert list(tmp_path.iterdir()) == []
    assert counted(exposures) == (0, 0)


def test_single_answers_with_a_treatment_are_logged(tmp_path: Path) -> None:
    """Not those without one, not explanations, and not batches: those are their own record."""
    exposures = running(tmp_path)
    paths = Paths(allotment.load(SHOP).catalog, exposures)
    known = {"country": "SE"}
    paths.ask("POST", "/v1/assign", {"unit": "one", "attributes": known, "experiment": "checkout"})
    paths.ask("POST", "/v1/assign", {"unit": "abroad", "experiment": "checkout"})
    paths.ask("POST", "/v1/assign", {"unit": {"user": "all", "device": "d"}, "attributes": known})
    paths.ask("GET", "/v1/assign/plain/by-path")
    stored = {"paused": "other"}
    paths.ask("POST", "/v1/assign", {"unit": "a", "experiment": "paused", "stored": stored})
    paths.ask("POST", "/v1/resolve", {"unit": "the-boss", "flag": "button"})
    paths.ask("POST", "/v1/resolve", {"unit": "abroad", "flag": "button"})
    paths.ask("POST", "/v1/explain", {"unit": "x", "experiment": "plain"})
    paths.ask("POST", "/v1/assign/batch", {"units": ["y"]})
    exposures.close()
    assert [(each["experiment"], each["unit"], each["reason"]) for each in written(tmp_path)] == [
        ("checkout", "one", "ALLOCATED"),
        ("checkout", "all", "ALLOCATED"),
        ("plain", "all", "ALLOCATED"),
        ("plain", "by-path", "ALLOCATED"),
        ("paused", "a", "STICKY"),
        ("checkout", "the-boss", "OVERRIDE"),
    ]


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_a_server_logs_and_finishes_its_file_when_it_stops(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "exposures"
    with serving(tmp_path, catalog=SHOP, env={"ALLOTMENT_EXPOSURES": form}) as server:
        with server.client() as client:
            for unit in range(50):
                client.get(f"/v1/assign/plain/{unit}")
                client.get(f"/v1/assign/plain/{unit}")
            soon(lambda: 'exposures_total{outcome="written"} 50.0' in client.get("/metrics").text)
        assert server.stop() == 0
    (path,) = folder.iterdir()
    assert path.suffix == f".{form}"
    units = (
        pq.read_table(path).column("unit").to_pylist()
        if form == "parquet"
        else [each["unit"] for each in written(folder)]
    )
    assert units == [str(unit) for unit in range(50)]


def test_a_server_sends_to_a_webhook_what_it_gives(tmp_path: Path) -> None:
    with receiver(503) as (url, received):
        env = {
            "ALLOTMENT_EXPOSURES": "webhook",
            "ALLOTMENT_EXPOSURES_URL": url,
            "ALLOTMENT_EXPOSURES_SECRET": "s3cret",
        }
        with serving(tmp_path, catalog=SHOP, env=env) as server:
            with server.client() as client:
                client.get("/v1/assign/plain/17")
                soon(lambda: len(received) == 2)
            assert server.stop() == 0
    (first, body), (again, same) = received
    assert (first["idempotency-key"], body) == (again["idempotency-key"], same)
    assert again["allotment-signature"] == signature("s3cret", again["allotment-timestamp"], body)
    assert json.loads(body)["unit"] == "17"


def test_a_webhook_needs_an_address_and_shows_no_secret() -> None:
    with pytest.raises(InvalidInput, match=r"exposures_url .* webhook's address"):
        Settings(exposures="webhook")
    with pytest.raises(InvalidInput, match=r"exposures_url .* https"):
        Settings(exposures="webhook", exposures_url="shop.example")
    url = "https://me:word@shop.example/in?token=abc"
    settings = Settings(exposures="webhook", exposures_url=url, exposures_secret="s3cret")
    shown = {each.name: each.value for each in settings.sources()}
    assert shown["exposures_url"] == "https://me:***@shop.example/in?token=***"
    assert shown["exposures_secret"] == "***"
    assert "s3cret" not in repr(settings)
    assert Settings.taken(settings.handed_on()).exposures_secret == "s3cret"
