"""ExposureLog: what is logged, once, in files that are whole; what is not is counted."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import allotment
from allotment.errors import InvalidInput
from allotment.exposures import signature
from allotment.exposures.recording import WINDOW
from allotment.exposures.seen import Seen
from allotment.server.counters import Counters
from allotment.server.exposure_log import ExposureLog
from allotment.server.settings import Settings
from allotment.server.sync.threads import Threads
from receiver import receiver
from server.assign.asking import Paths
from server.logged import SPACE, counted, files, given, running, soon, written
from serving import SHOP, serving


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


def test_what_cannot_be_written_by_the_end_is_counted(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    exposures = running(blocked / "exposures")
    for unit in range(5):
        exposures.log(SPACE, "user", str(unit), given())
    exposures.close(patience=0.5)
    assert counted(exposures) == (0, 5)


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
