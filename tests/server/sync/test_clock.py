"""The system's clock goes backwards and forwards: nothing is refused, lost or done twice for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from allotment.server.counters import Counters
from allotment.server.sync.threads import Threads
from server.logged import files, given, written
from server.native.test_nouns import FLAG, experiment
from server.nodes import calling, running

pytestmark = pytest.mark.anyio

DAY = 24 * 60 * 60.0


class Clock:
    """The system's clock, some days off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.days = 0.0
        self._real = time.time
        monkeypatch.setattr("time.time", self)

    def __call__(self) -> float:
        return self._real() + self.days * DAY


async def test_a_clock_that_goes_back_refuses_no_change_and_repeats_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    async with running(str(tmp_path / "a.db"), now=clock) as node, calling(node) as client:
        await client.put("/v1/catalog/flags/button", json=FLAG)
        once = {"idempotency-key": "start"}
        path = "/v1/catalog/experiments/e"
        begun = await client.put(path, json=experiment(), headers=once)
        assert begun.status_code == 201, begun.text
        clock.days = -400
        again = await client.put(path, json=experiment(), headers=once)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        ended = await client.put(path, json=experiment(state="stopped"))
        assert ended.status_code == 200, ended.text
        assert node.served("default/production").revision == 3
        entries = (await client.get("/v1/journal")).json()["entries"]
        assert [entry["revision"] for entry in entries] == [3, 2, 1]
        assert entries[0]["when"] < entries[1]["when"]
        assert (await client.get(path)).json()["state"] == "stopped"
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["dead_threads"]) == (200, [])
        assert 0 <= ready.json()["age_seconds"] < 60
    async with running(str(tmp_path / "a.db"), now=clock) as node:
        assert node.served("default/production").revision == 3


async def test_a_token_ends_by_the_clock_and_a_revoked_one_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    async with running(str(tmp_path / "a.db"), now=clock) as node, calling(node) as client:
        asked = {"scope": "admin", "space": "*/*", "name": "ops"}
        admin = (await client.post("/v1/tokens", json=asked)).json()
        owner = {"authorization": f"Bearer {admin['token']}"}
        short = {"scope": "read", "space": "*/*", "name": "a day", "days": 1}
        made = (await client.post("/v1/tokens", json=short, headers=owner)).json()
        bearer = {"authorization": f"Bearer {made['token']}"}

        async def status() -> int:
            return (await client.get("/v1/snapshot", headers=bearer)).status_code

        seen = {}
        for clock.days in (0, -400, 0.9, 1.1, 0):
            seen[clock.days] = await status()
        assert seen == {0: 200, -400: 200, 0.9: 200, 1.1: 401}
        clock.days = -400
        await client.delete(f"/v1/tokens/{made['id']}", headers=owner)
        for clock.days in (-400, 0, -800, 400):
            assert await status() == 401


def test_exposures_are_written_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    exposures = files("ndjson", tmp_path, Threads(Counters()), now=clock, rotate_bytes=1)
    exposures.start()
    units = []
    for clock.days in (0, -400, 400, -19_000):
        units.append(f"u{clock.days}")
        exposures.log("default/production", "user", units[-1], given())
        while exposures._recording.counts.exposures_written < len(units):
            time.sleep(0.01)
    exposures.close()
    assert {each["unit"] for each in written(tmp_path)} == set(units)
    assert exposures._recording.counts.exposures_dropped == 0
