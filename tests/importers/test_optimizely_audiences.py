"""Optimizely's audiences: their conditions are true, false or unknown, and only true is a match."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.importers import optimizely
from allotment.importers.rules import Imported
from imported import catalog_of

TYPED = {"type": "custom_attribute"}


def leaf(**fields: Any) -> dict[str, Any]:
    return {**TYPED, "name": "n", **fields}


def read(conditions: Any, *, asking: Any = "x", spelled: Any = None) -> Imported:
    """A flag with one rule that asks for an audience of these conditions."""
    variation = {"id": "7", "key": "in", "featureEnabled": True}
    rule = {
        "id": "1", "key": "rule", "status": "Running", "variations": [variation],
        "trafficAllocation": [{"entityId": "7", "endOfRange": 10_000}],
        "audienceIds": [], "audienceConditions": asking,
    }  # fmt: skip
    flag = {"id": "2", "key": "f", "experimentIds": ["1"], "rolloutId": "", "variables": []}
    audience = {"id": "x", "name": "Some"}
    texts = [] if spelled is None else [{**audience, "conditions": spelled}]
    typed = [] if conditions is None else [{**audience, "conditions": conditions}]
    return optimizely.read(
        {
            "version": "4",
            "experiments": [rule],
            "featureFlags": [flag],
            "audiences": texts,
            "typedAudiences": typed,
        }
    )


def holds(imported: Imported, **attributes: Any) -> bool:
    """Whether a user gets the rule's variation."""
    engine = Engine(compile_catalog(catalog_of(imported)))
    return engine.resolve("f", {"user": "u"}, attributes).variation == "in"


def test_an_audience_is_a_segment() -> None:
    imported = read(leaf(value="SE"))
    segment = imported.segments[0]
    assert (segment.key, segment.name) == ("audience-x", "Some")


@pytest.mark.parametrize(
    ("given", "matching", "others"),
    [
        ({"match": "exact", "value": "SE"}, ["SE"], ["se", 1]),
        ({"match": "exact", "value": 1}, [1, 1.0], [True, "1", 2]),
        ({"match": "exact", "value": True}, [True], [1, "true", False]),
        ({"value": "SE"}, ["SE"], ["NO"]),
        ({"match": "substring", "value": "b"}, ["abc"], ["ac", 1]),
        ({"match": "gt", "value": 1}, [1.5, 2**53], [1, "2", True, 2.0**54]),
        ({"match": "ge", "value": 1}, [1], [0.5]),
        ({"match": "lt", "value": 1}, [0, -(2**53)], [1, -(2.0**54)]),
        ({"match": "le", "value": 1}, [1], [1.5]),
        ({"match": "exists"}, [0, ""], []),
        ({"match": "gt", "value": "1"}, [], [2, "2"]),
        ({"match": "exact", "value": None}, [], ["", 0]),
    ],
)
def test_a_condition_matches_as_it_did(given: Any, matching: list[Any], others: list[Any]) -> None:
    imported = read(leaf(**given))
    assert all(holds(imported, n=value) for value in matching)
    assert not any(holds(imported, n=value) for value in others)
    assert not holds(imported)
    assert not holds(imported, n=None)


@pytest.mark.parametrize(
    ("value", "expected"), [("SE", False), ("NO", True), (1, False), (None, False)]
)
def test_not_holds_where_a_condition_is_false_and_not_where_it_is_unknown(
    value: Any, expected: bool
) -> None:
    is_swedish = leaf(match="exact", value="SE")
    assert holds(read(["not", is_swedish]), n=value) is expected
    assert holds(read(["not", ["and", [is_swedish]]]), n=value) is expected


def test_not_of_an_audience_is_unknown_where_the_audience_is() -> None:
    imported = read(leaf(match="gt", value=5), asking=["not", "x"])
    assert [holds(imported, n=n) for n in (5, 6, "5", None)] == [True, False, False, False]


def test_of_several_conditions_one_that_decides_is_enough() -> None:
    one, other = leaf(name="a", value="x"), leaf(name="b", value="y")
    assert holds(read(["or", one, other]), b="y")
    assert not holds(read(["and", one, other]), b="y")
    assert holds(read(["not", ["and", one, other]]), b="z")
    assert not holds(read(["not", ["or", one, other]]), b="z")
    assert holds(read(["and"]))
    assert not holds(read(["or"]))
    assert not holds(read(["not"]))


def test_an_audience_that_is_spelled_in_text_is_read_and_a_typed_one_counts_before_it() -> None:
    never = json.dumps(["or"])
    assert not holds(read(None, spelled=never), n=1)
    assert holds(read(None, spelled=json.dumps(leaf(match="exists"))), n=1)
    assert holds(read(leaf(match="exists"), spelled=never), n=1)


def test_a_rule_without_conditions_is_for_everyone() -> None:
    assert holds(read(None, asking=[]))


@pytest.mark.parametrize(
    ("conditions", "place", "reason"),
    [
        (leaf(match="semver_ge", value="2.1"), ".match", "takes 2.1 for a version"),
        (leaf(match="qualified", value="x"), ".match", "a service of Optimizely's"),
        (leaf(match="regex", value="x"), ".match", "regex is not known"),
        (leaf(type="cookies", value="x"), ".type", "cookies is not compared here"),
        (leaf(value="x", color=1), "", "unknown field"),
        (leaf(name="", value="x"), ".name", "has no name"),
        (["and", []], "[1]", "an empty list"),
        ("{", "", "not JSON"),
    ],
)
def test_an_audience_that_cannot_be_said_is_left_out_with_its_flags(
    conditions: Any, place: str, reason: str
) -> None:
    imported = read(conditions)
    said = {note.path: note.message for note in imported.notes}
    assert reason in said[f"$.typedAudiences[0].conditions{place}"]
    assert "'x' is not there, or was left out" in said["$.experiments[0].audienceConditions"]
    assert imported.flags == []
