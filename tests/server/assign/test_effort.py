"""A request that would take many seconds is refused before it is begun, with what to do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from allotment.errors import TooLarge
from allotment.matching.index import Work
from allotment.server.assign import effort as module
from allotment.server.assign.effort import Size, effort
from serving import serving


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


def test_a_request_that_would_take_too_long_is_413_at_once(tmp_path: Path) -> None:
    """Five hundred experiments of a segment with patterns, and a list of 8,000 values."""
    treatments = {"a": {"control": True}, "b": {}}
    experiment = {
        "state": "running",
        "treatments": treatments,
        "allocations": [{"segment": "long", "weights": {"a": 50, "b": 50}}],
    }
    patterns = [f"q+{number}z" for number in range(20)]
    catalog = {
        "allotment": 1,
        "segments": {"long": {"rules": [{"attribute": "list", "matches": patterns}]}},
        "experiments": {f"e{number}": experiment for number in range(500)},
    }
    (tmp_path / "catalog.yaml").write_text(json.dumps(catalog))
    values = [f"{number:05d}" for number in range(8_000)]
    question = {"unit": "u", "attributes": {"list": values}}
    with serving(tmp_path, catalog=tmp_path / "catalog.yaml") as server, server.client() as client:
        began = time.monotonic()
        answer = client.post("/v1/assign", json=question)
        assert time.monotonic() - began < 2.0
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "500 experiments" in answer.json()["detail"]
        assert client.post("/v1/assign", json={**question, "experiment": "e0"}).status_code == 200
