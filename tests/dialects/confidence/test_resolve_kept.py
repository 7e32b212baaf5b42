"""Sticky assignments, resolved: by two nodes over one store, with the intake open and paused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from resolving import SWEDEN
from serving import Server, serving

UNITS = [f"unit-{number}" for number in range(12)]
ARMS = ("control", "new")
PAUSED = {"flags": {"intakePaused": True}}
HOME, ABROAD = {"country": "SE"}, {"country": "NO"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as started:
        yield started


def post(client: httpx.Client, path: str, body: Any = None) -> Any:
    answer = client.post(f"/v1/{path}", json={} if body is None else body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def live(client: httpx.Client, key: str, **flags: Any) -> str:
    """A flag whose instance is live for Sweden and keeps assignments; the instance's path."""
    post(client, f"flags?flagId={key}")
    for each in ("control", "new"):
        post(client, f"flags/{key}/variants?variantId={each}", {"value": {}})
    post(client, f"segments?segmentId={key}", {"targeting": SWEDEN})
    arms = [{"variant": f"flags/{key}/variants/{each}", "weight": 5000} for each in ARMS]
    audience = {"segment": f"segments/{key}", "stickyAssignments": True, **flags}
    body = {"displayName": key, "abtest": {"treatments": arms}, "flags": audience}
    name = post(client, "workflows/abtest/instances", body)["name"]
    post(client, f"{name}:transition", {"targetState": "live"})
    return f"/v1/{name}"


def variants(client: httpx.Client, key: str, units: list[str], where: Any) -> list[str]:
    """What each unit gets."""
    found = []
    for unit in units:
        context = {"targeting_key": unit, **where}
        body = {"flags": [f"flags/{key}"], "evaluationContext": context}
        (flag,) = post(client, "flags:resolve", body)["resolvedFlags"]
        found.append(flag["variant"].rpartition("/")[2])
    return found


def test_whoever_is_in_stays_in_while_nobody_else_is_taken_in(server: Server) -> None:
    with server.client() as client:
        path = live(client, "usual")
        before = variants(client, "usual", UNITS, HOME)
        assert {*before} == {*ARMS}
        paused = client.patch(f"{path}?updateMask=flags.intakePaused", json=PAUSED)
        assert paused.status_code == 200, paused.text
        assert variants(client, "usual", UNITS, HOME) == before
        assert variants(client, "usual", ["somebody-new"], HOME) == [""]
        # The targeting still has to match, as nobody said otherwise.
        assert variants(client, "usual", UNITS, ABROAD) == [""] * len(UNITS)
    server.restart()
    with server.client() as client:
        assert variants(client, "usual", UNITS, HOME) == before


def test_a_kept_assignment_may_outlive_the_targeting_and_is_every_nodes(
    server: Server, tmp_path: Path
) -> None:
    with server.client() as client:
        live(client, "lasting", ignoreTargetingForSticky=True)
        assert variants(client, "lasting", UNITS, ABROAD) == [""] * len(UNITS)
        before = variants(client, "lasting", UNITS, HOME)
        assert variants(client, "lasting", UNITS, ABROAD) == before
    other = tmp_path / "other"
    other.mkdir()
    with serving(other, database_url=server.database) as second, second.client() as client:
        assert variants(client, "lasting", UNITS, ABROAD) == before
        assert variants(client, "lasting", ["somebody-new"], ABROAD) == [""]
