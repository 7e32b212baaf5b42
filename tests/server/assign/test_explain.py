"""`/v1/explain`: why a unit gets what it gets, now and as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from allotment.change.commands import SetWeights
from allotment.engine import Engine
from allotment.model.plain import to_plain
from serving import SHOP, fill, serving

SWEDEN = {"country": "SE"}


def explained(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.post("/v1/explain", json=asked)
    assert answer.status_code == 200, answer.text[:300]
    found: dict[str, Any] = answer.json()
    return found


def test_an_explanation_has_every_check_of_the_engines(
    client: httpx.Client, engine: Engine
) -> None:
    for unit in ("a", "b", "the-boss", ""):
        for attributes in (SWEDEN, {}, {"country": "US"}):
            found = explained(client, experiment="checkout", unit=unit, attributes=attributes)
            expected = engine.explain("checkout", unit, attributes)
            assert found["assignment"]["reason"] == expected.assignment.reason
            assert found["assignment"]["treatment"] == expected.assignment.treatment
            for given, check in zip(found["checks"], expected.checks, strict=True):
                draw = given.pop("draw")
                assert (None if draw is None else int(draw, 16)) == check.draw
                assert draw is None or re.fullmatch("[0-9a-f]{16}", draw)
                assert given == {name: getattr(check, name) for name in given}
                assert set(given) == {
                    *("name", "applies", "bucket", "buckets", "bound", "outcome", "decided")
                }


def test_a_kept_treatment_is_explained(client: httpx.Client) -> None:
    found = explained(client, experiment="paused", unit="a", stored="control")
    assert found["assignment"]["reason"] == "STICKY"


def test_an_unknown_experiment_or_revision_is_not_found(client: httpx.Client) -> None:
    for asked in (
        {"experiment": "<gone>", "unit": "a"},
        {"experiment": "checkout", "unit": "a", "revision": 10**6},
        {"experiment": "<gone>", "unit": "a", "revision": 1},
    ):
        answer = client.post("/v1/explain", json=asked)
        assert answer.status_code == 404, answer.text[:300]
        assert "<gone>" not in answer.text[:300]


def weigh(client: httpx.Client, control: int) -> int:
    """Change the weights of `checkout`; the revision that it made."""
    command = SetWeights(
        "checkout", "everyone", (("control", control), ("green", 100 - control)), 100
    )
    answer = client.post("/v1/commands", json={"commands": [to_plain(command)]})
    assert answer.status_code == 200, answer.text[:300]
    return int(answer.json()["revision"])


def current(client: httpx.Client) -> str:
    asked = {"unit": "a", "attributes": SWEDEN, "experiment": "checkout"}
    answer = client.post("/v1/assign", json=asked).json()
    treatment: str = answer["assignments"]["checkout"]["treatment"]
    return treatment


def test_an_assignment_is_explained_as_it_was(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server, server.client() as client:
        history = {1: current(client)}
        for control in (100, 0, 100, 0, 100):
            revision = weigh(client, control)
            history[revision] = current(client)
        assert list(history.values())[1:] == ["control", "green", "control", "green", "control"]
        for _ in range(2):  # from the store, and from what is remembered of it
            for revision, then in history.items():
                found = explained(
                    client, experiment="checkout", unit="a", attributes=SWEDEN, revision=revision
                )
                assert found["revision"] == revision
                assert found["assignment"]["treatment"] == then


def test_what_was_not_there_yet_is_not_found(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as client:
        fill(server.database, SHOP)
        later = {"allotment-min-revision": "1"}
        asked = {"experiment": "checkout", "unit": "a", "revision": 1}
        assert client.post("/v1/explain", json=asked, headers=later).status_code == 200
        assert client.post("/v1/explain", json={**asked, "revision": 0}).status_code == 400
