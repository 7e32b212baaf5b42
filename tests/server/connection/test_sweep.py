"""The sweep over all connections: between some of them and the next, requests are answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from allotment.server.connection import state as module
from allotment.server.connection.state import ServingState
from allotment.server.counters import Counters
from allotment.server.settings import Settings

pytestmark = pytest.mark.anyio


class Connection:
    """Notes that it was looked at; `closes` is then gone."""

    def __init__(self, swept: list[Connection], closes: list[Connection]) -> None:
        self._swept = swept
        self.closes = closes
        self.all: set[Any] = set()

    def sweep(self, _now: float) -> None:
        self._swept.append(self)
        self.all.difference_update(self.closes)


async def test_thousands_of_connections_are_looked_at_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.5)
    state, swept = ServingState(Settings(), Counters()), list[Connection]()
    gone = [Connection(swept, []) for _ in range(300)]
    made = [Connection(swept, []) for _ in range(5_000)]
    for each in made:
        each.all = state.connections
        each.closes = gone
    state.connections.update(made, gone)
    parts = []
    state.start()
    try:
        while not set(made) <= set(swept):
            before = len(swept)
            await asyncio.sleep(0)
            parts.append(len(swept) - before)
    finally:
        state.stop()
    assert max(parts) <= 256
    # One that has closed meanwhile is not looked at: at most those of the first part were.
    assert len(set(gone) & set(swept)) < 256
