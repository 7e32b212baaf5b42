"""Unleash's client features: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import unleash
from allotment.importers.rules import Imported
from allotment.model.profile import Draw
from imported import catalog_of

HALVES = [{"name": "a", "weight": 500}, {"name": "b", "weight": 500, "stickiness": "default"}]


def feature(*strategies: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "f", "enabled": True, "strategies": list(strategies), **fields}


def rollout(percent: Any, **fields: Any) -> dict[str, Any]:
    parameters = {"rollout": percent, "stickiness": "default", "groupId": "g"}
    return {"name": "flexibleRollout", "parameters": parameters, **fields}


def bound(name: str, operator: str, value: Any = None, **fields: Any) -> dict[str, Any]:
    compared = {"values" if isinstance(value, list) else "value": value}
    constraint = {"contextName": name, "operator": operator, **compared, **fields}
    return {"name": "default", "constraints": [constraint]}


def read(one: dict[str, Any], *segments: Any) -> Imported:
    return unleash.read({"version": 2, "features": [one], "segments": list(segments)})


def given(one: dict[str, Any], unit: str = "u", segments: Any = (), **context: Any) -> Any:
    imported = read(one, *segments)
    assert len(imported.flags) == 1, imported.notes
    return Engine(compile_catalog(catalog_of(imported))).resolve("f", unit, context).variation


def note_of(one: dict[str, Any]) -> str:
    """The one note on a feature that is left out whole."""
    imported = read(one)
    assert imported.nouns() == []
    (note,) = imported.notes
    return f"{note.path}: {note.message}"


def test_a_rollout_is_the_enrolment_by_its_group() -> None:
    (experiment,) = read(feature(rollout("25"))).experiments
    iteration = experiment.current
    drawn = Draw("unleash-rollout-1", "g")
    assert (experiment.key, iteration.enrolment_ppm, iteration.enrolment_draw) == (
        "f.1", 250_000, drawn,
    )  # fmt: skip


def test_the_group_is_the_feature_where_none_is_named() -> None:
    one = {"name": "flexibleRollout", "parameters": {"rollout": 25}}
    (experiment,) = read(feature(one)).experiments
    assert experiment.current.enrolment_draw == Draw("unleash-rollout-1", "f")


def test_the_older_gradual_rollout_is_one_too() -> None:
    one = {"name": "gradualRolloutUserId", "parameters": {"percentage": "7", "groupId": "g"}}
    (experiment,) = read(feature(one)).experiments
    assert experiment.current.enrolment_ppm == 70_000


def test_no_one_is_in_a_rollout_of_0() -> None:
    imported = read(feature(rollout("0")))
    assert (imported.experiments, len(imported.flags)) == ([], 1)


@pytest.mark.parametrize(
    ("one", "salt"),
    [
        (feature(rollout("100"), variants=HALVES), "f"),
        (feature(rollout("100", variants=HALVES)), "g"),
        (feature(variants=HALVES), "f"),
    ],
)
def test_variants_are_dealt_by_the_feature_and_those_of_a_strategy_by_its_group(
    one: dict[str, Any], salt: str
) -> None:
    (experiment,) = read(one).experiments
    iteration = experiment.current
    assert (iteration.profile, iteration.salt) == ("unleash-variant-1", salt)
    allocation = iteration.allocations[0]
    assert (allocation.total, allocation.slots) == (1_000, ((0, 500, "a"), (500, 1_000, "b")))


def test_a_feature_that_is_off_is_disabled() -> None:
    (one,) = read(feature(enabled=False)).flags
    assert (one.default, one.state) == ("disabled", "off")


def test_without_strategies_everyone_has_it() -> None:
    assert given(feature()) == "enabled"


def test_the_first_strategy_that_takes_a_unit_decides() -> None:
    one = feature(
        {**bound("plan", "IN", ["pro"]), "variants": [{"name": "a", "weight": 1}]},
        bound("country", "IN", ["SE"]),
        variants=[{"name": "b", "weight": 1}],
    )
    assert given(one, plan="pro", country="SE") == "a"
    assert given(one, country="SE") == "b"
    assert given(one) == "disabled"


def test_listed_users_have_it() -> None:
    one = feature({"name": "userWithId", "parameters": {"userIds": "u, v,"}})
    assert [given(one, unit) for unit in "uvw"] == ["enabled", "enabled", "disabled"]


def test_an_override_of_a_variant_comes_first_for_whom_the_feature_is_on() -> None:
    variants = [
        {"name": "a", "weight": 0, "overrides": [{"contextName": "userId", "values": ["u"]}]},
        {"name": "b", "weight": 1, "overrides": [{"contextName": "plan", "values": ["pro"]}]},
    ]
    one = feature(bound("country", "IN", ["SE"]), variants=variants)
    assert given(one, country="SE") == "a"
    assert given(one, "v", country="SE", plan="pro") == "b"
    assert given(one, plan="pro") == "disabled"


def test_a_payload_is_the_value_of_a_variant() -> None:
    kinds = [("string", "x", '"x"'), ("json", '{"a":1}', '{"a": 1}'), ("number", "1.5", "1.5")]
    for kind, text, value in kinds:
        variant = {"name": "a", "weight": 1, "payload": {"type": kind, "value": text}}
        assert read(feature(variants=[variant])).flags[0].variations[2].value == value


def test_the_constraints_of_segments_hold_too() -> None:
    constraint = {"contextName": "plan", "operator": "IN", "values": ["pro"]}
    segments = [{"id": 1, "constraints": [constraint]}]
    one = feature({**bound("country", "IN", ["SE"]), "segments": [1]})
    assert given(one, segments=segments, country="SE", plan="pro") == "enabled"
    assert given(one, segments=segments, country="SE") == "disabled"
    missing = feature({"name": "default", "segments": [2]})
    assert given(missing, segments=segments) == "disabled"


HOLDS: list[tuple[str, Any, Any]] = [
    ("IN", ["SE", "5"], "SE"),
    ("IN", ["SE", "5"], 5),
    ("NOT_IN", ["SE"], None),
    ("NOT_IN", [], "SE"),
    ("STR_CONTAINS", ["x", "E"], "SE"),
    ("STR_STARTS_WITH", ["S"], "SE"),
    ("STR_ENDS_WITH", ["E"], "SE"),
    ("NUM_EQ", "5", 5),
    ("NUM_GT", "5", 5.5),
    ("NUM_GTE", "5", 5),
    ("NUM_LT", "5", -1),
    ("NUM_LTE", "5", 5),
    ("SEMVER_EQ", "1.2.3", "1.2.3"),
    ("SEMVER_GT", "1.2.3", "1.10.0"),
    ("SEMVER_LT", "1.2.3", "1.2.3-rc"),
]


@pytest.mark.parametrize(("operator", "value", "there"), HOLDS)
def test_a_constraint_holds_and_its_inverse_does_not(operator: str, value: Any, there: Any) -> None:
    assert given(feature(bound("x", operator, value)), x=there) == "enabled"
    inverse = feature(bound("x", operator, value, inverted=True))
    assert given(inverse, x=there) == "disabled"


@pytest.mark.parametrize(
    ("operator", "value"),
    [("IN", ["5"]), ("STR_CONTAINS", ["5"]), ("NUM_GT", "5"), ("SEMVER_GT", "5.0.0")],
)
def test_no_constraint_holds_for_what_is_missing_but_an_inverted_one(
    operator: str, value: Any
) -> None:
    value: Any = (
        ["5"] if operator in ("IN", "STR_CONTAINS") else "5.0.0"[: 5 if "S" in operator[:1] else 1]
    )
    assert given(feature(bound("x", operator, value))) == "disabled"
    assert given(feature(bound("x", operator, value, inverted=True))) == "enabled"


def test_the_user_is_compared_with_lists() -> None:
    assert given(feature(bound("userId", "IN", ["u", ""]))) == "enabled"
    assert given(feature(bound("userId", "NOT_IN", ["u"]))) == "disabled"


def test_a_number_in_text_has_a_note() -> None:
    (note,) = read(feature(bound("x", "NUM_GT", "5"))).notes
    assert note.path == "$.features[0].strategies[0].constraints[0].value"


HERE = "strategies[0]"
LEFT_OUT: list[tuple[str, dict[str, Any]]] = [
    ("name", feature(name="a b")),
    ("dependencies", feature(dependencies=[{"feature": "g"}])),
    ("variants", feature(variants=[{"name": "a", "weight": 0}])),
    (f"{HERE}.name", feature({"name": "remoteAddress"})),
    (f"{HERE}.parameters.rollout", feature(rollout("12.5"))),
    (f"{HERE}.parameters.rollout", feature(rollout("101"))),
    (f"{HERE}.parameters.userIds", feature({"name": "userWithId"})),
    (
        f"{HERE}.parameters.stickiness",
        feature({"name": "flexibleRollout", "parameters": {"rollout": 5, "stickiness": "random"}}),
    ),
    (
        f"{HERE}.parameters.groupId",
        feature({"name": "flexibleRollout", "parameters": {"rollout": 5, "groupId": ""}}),
    ),
    (
        "variants[0].stickiness",
        feature(variants=[{"name": "a", "weight": 1, "stickiness": "random"}]),
    ),
    ("variants.enabled", feature(variants=[{"name": "enabled", "weight": 1}])),
    (
        "variants.a.payload",
        feature(variants=[{"name": "a", "weight": 1, "payload": {"type": "json", "value": "{"}}]),
    ),
    (f"{HERE}.constraints[0].operator", feature(bound("x", "DATE_AFTER", "2020-01-01"))),
    (f"{HERE}.constraints[0].contextName", feature(bound("userId", "STR_CONTAINS", ["a"]))),
    (f"{HERE}.constraints[0].contextName", feature(bound("currentTime", "NUM_GT", "1"))),
    (f"{HERE}.constraints[0].value", feature(bound("x", "NUM_GT", "many"))),
    (f"{HERE}.constraints[0].value", feature(bound("x", "SEMVER_GT", "1.2"))),
    (
        f"{HERE}.constraints[0].caseInsensitive",
        feature(bound("x", "STR_CONTAINS", ["a"], caseInsensitive=True)),
    ),
]


@pytest.mark.parametrize(("place", "one"), LEFT_OUT)
def test_what_cannot_be_said_leaves_the_feature_out(place: str, one: dict[str, Any]) -> None:
    said = note_of(one)
    assert said.startswith(f"$.features[0].{place}: feature {one['name']!r} is left out: ")


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({}, "$"),
        ({"features": {}}, "$.features"),
        ({"features": [1]}, "$.features[0]"),
        ({"features": [{"name": "f"}]}, "$.features[0]"),
        ({"features": [feature(enabled="yes")]}, "$.features[0].enabled"),
        ({"features": [feature(variants=[{"name": "a", "weight": -1}])]}, None),
    ],
)
def test_what_unleash_does_not_send_is_refused(payload: Any, path: str | None) -> None:
    with pytest.raises(InvalidInput) as fault:
        unleash.read(payload)
    assert fault.value.path == (path or "$.features[0].variants[0].weight")
