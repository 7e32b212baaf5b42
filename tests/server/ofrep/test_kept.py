"""Sticky assignments over OFREP: kept by the first answer, and never wrong behind a 304."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.sticky.shop import SWEDEN, Shop, shop

FLAGS = "/ofrep/v1/evaluate/flags"
PAUSED = """
allotment: 1
flags:
  button: {default: blue, variations: {blue: 1, green: 2}, experiments: [first]}
  other: {default: a, variations: {a: 1, b: 2}, experiments: [plain]}
experiments:
  first:
    state: paused
    keeps_assignments: true
    treatments: {control: {control: true, sets: {button: blue}}, new: {sets: {button: green}}}
    allocations: [{weights: {control: 100, new: 0}}]
  plain:
    state: running
    treatments: {control: {control: true, sets: {other: a}}, b: {sets: {other: b}}}
    allocations: [{weights: {control: 0, b: 100}}]
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as made:
        yield made


@pytest.fixture
def paused(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, PAUSED) as made:
        yield made


def body(unit: str) -> bytes:
    return msgspec.json.encode({"context": {"targetingKey": unit, **SWEDEN}})


def one(site: Shop, unit: str) -> Any:
    return site.asked(f"{FLAGS}/button", {"context": {"targetingKey": unit, **SWEDEN}})


def all_(site: Shop, unit: str) -> dict[str, Any]:
    found = site.asked(FLAGS, {"context": {"targetingKey": unit, **SWEDEN}})
    return {flag["key"]: flag for flag in found["flags"]}


def test_what_a_unit_was_given_first_is_given_again(site: Shop) -> None:
    assert (one(site, "ann")["variant"], all_(site, "bo")["button"]["variant"]) == ("blue", "blue")
    assert site.kept("ann", "bo") == {"ann": "control", "bo": "control"}
    site.weigh("first", 0)
    for unit in ("ann", "bo"):
        found = one(site, unit)
        assert (found["variant"], found["reason"]) == ("blue", "SPLIT")
        assert found["metadata"]["reason"] == "STICKY"
        assert all_(site, unit)["button"] == found
    assert one(site, "cy")["variant"] == "green"


def test_a_304_is_never_for_what_was_kept_meanwhile(paused: Shop) -> None:
    """What is kept changes without a revision: here a treatment from elsewhere is imported."""
    before = paused.send("POST", FLAGS, body("ann"))
    tag = before.headers["etag"]
    assert paused.send("POST", FLAGS, body("ann"), if_none_match=tag).status_code == 304
    row = {"experiment": "first", "unit": "ann", "treatment": "new"}
    paused.asked("/v1/kept", {"rows": [row]}, content_type="application/json")
    after = paused.send("POST", FLAGS, body("ann"), if_none_match=tag)
    assert after.status_code == 200
    assert after.headers["allotment-revision"] == before.headers["allotment-revision"]
    variants = {flag["key"]: flag["variant"] for flag in after.json()["flags"]}
    assert variants == {"button": "green", "other": "b"}
    assert one(paused, "ann")["variant"] == "green"
    # Who has nothing kept is answered as before.
    other = paused.send("POST", FLAGS, body("bo"))
    tag = other.headers["etag"]
    assert paused.send("POST", FLAGS, body("bo"), if_none_match=tag).status_code == 304
