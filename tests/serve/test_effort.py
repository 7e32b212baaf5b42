"""A request that would take many seconds is refused before it is begun, with what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from allotment.errors import TooLarge
from allotment.matching.index import Work
from allotment.server.assign import effort as module
from allotment.server.assign.effort import Size, effort


def test_the_values_of_lists_are_counted_as_they_are_written() -> None:
    assert Size.of(b'{"a": "x, y"}') == (1, 13)
    assert Size.of(b'{"a": [1, 2, 3]}').values == 3
    assert Size.of(b'{"experiments": ["a", "b"]}', lists=1).values == 1


def test_too_many_values_for_too_many_experiments_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "work_of", lambda _snapshot, _key: Work(0, 2_000, 0))
    served: Any = SimpleNamespace(engine=SimpleNamespace(snapshot=SimpleNamespace(plans=())))
    shown: Any = SimpleNamespace(served=served, work=None)
    assert effort(shown, ["a"] * 100, Size(8_000, 64_000)) == 100 * 8_000 * 2_000
    with pytest.raises(TooLarge, match=r"8,000 values.*1,000 experiments.*fewer") as refusal:
        effort(shown, ["a"] * 1_000, Size(8_000, 64_000))
    assert refusal.value.path == "$.attributes"
