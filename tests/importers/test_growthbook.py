"""GrowthBook's features: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import growthbook
from allotment.importers.rules import Imported
from imported import catalog_of

SPLIT = {"key": "exp", "variations": ["a", "b"]}


def read(*rules: dict[str, Any], **payload: Any) -> Imported:
    """A feature with these rules, which is "off" by default."""
    return growthbook.read({"features": {"f": {"defaultValue": "off", "rules": rules}}, **payload})


def value(imported: Imported, units: Any = None, **attributes: Any) -> Any:
    engine = Engine(compile_catalog(catalog_of(imported)))
    return engine.resolve("f", units or {"id": "u"}, attributes).value


def is_for(condition: Any, *, groups: Any = None, **attributes: Any) -> bool:
    imported = read({"condition": condition, "force": "on"}, savedGroups=groups)
    assert len(imported.flags) == 1, imported.notes
    return bool(value(imported, **attributes) == "on")


def test_an_experiment_has_the_platforms_draw_its_seed_and_a_gap() -> None:
    rule = {**SPLIT, "coverage": 0.5, "weights": [0.4, 0.6], "hashVersion": 2, "seed": "s"}
    (experiment,) = read(rule).experiments
    iteration = experiment.current
    assert (experiment.key, experiment.unit) == ("f.rule-0", "id")
    assert (iteration.profile, iteration.salt) == ("growthbook-2", "s")
    assert iteration.allocations[0].slots == ((0, 2_000, "a"), (4_000, 7_000, "b"))


@pytest.mark.parametrize(
    ("rule", "salt"),
    [(SPLIT, "exp"), ({"variations": [1, 2]}, "f"), ({"force": "on", "coverage": 0.5}, "f"),
     ({"force": "on", "coverage": 0.5, "key": "other"}, "f")],
)  # fmt: skip
def test_without_a_seed_the_key_is_hashed(rule: Any, salt: str) -> None:
    assert read(rule).experiments[0].current.salt == salt


def test_a_rule_that_takes_no_unit_leaves_it_to_the_next() -> None:
    imported = read(
        {"condition": {"plan": "pro"}, "force": "first"},
        {**SPLIT, "ranges": [[0, 0], [0, 0.0001]]},
        {"force": "last"},
    )
    assert value(imported, plan="pro") == "first"
    assert value(imported) == "last"
    assert value(read({"condition": {"plan": "pro"}, "force": "on"})) == "off"


def test_a_variation_that_passes_through_owns_no_buckets() -> None:
    rule = {**SPLIT, "meta": [{"key": "0", "passthrough": True}, {"key": "1"}]}
    (experiment,) = read(rule).experiments
    assert experiment.current.allocations[0].slots == ((500, 1_000, "b"),)


def test_a_namespace_is_a_layer_in_which_rules_reserve_their_buckets() -> None:
    imported = read(
        {**SPLIT, "namespace": ["pages", 0, 0.4]},
        {**SPLIT, "key": "exp-2", "namespace": ["pages", 0.4, 1.0]},
    )
    (layer,) = imported.layers.values()
    assert (layer.key, layer.salt, layer.profile) == ("pages", "pages", "growthbook-namespace-1")
    assert [each.ranges for each in layer.reservations] == [((0, 400),), ((400, 1_000),)]
    assert value(imported) in {"a", "b"}


def test_rules_that_share_units_of_a_namespace_leave_the_flag_out() -> None:
    imported = read(
        {**SPLIT, "namespace": ["pages", 0, 0.5]}, {**SPLIT, "namespace": ["pages", 0.4, 1]}
    )
    assert (imported.flags, imported.layers, imported.experiments) == ([], {}, [])
    (note,) = imported.notes
    assert note.path == "$.features.f"
    assert "flag f is left out" in note.message


def test_filters_count_before_a_namespace_and_hash_as_version_2() -> None:
    filters = [{"seed": "a b", "ranges": [[0, 0.1], [0.5, 0.6]]}]
    imported = read({**SPLIT, "filters": filters, "namespace": ["pages", 0, 1]})
    (layer,) = imported.layers.values()
    assert (layer.key, layer.salt, layer.profile) == ("layer-0", "a b", "growthbook-2")
    assert layer.reservations[0].ranges == ((0, 1_000), (5_000, 6_000))


def test_another_hash_attribute_is_another_kind_of_unit() -> None:
    imported = read({**SPLIT, "hashAttribute": "company"}, {"force": "on"})
    assert {experiment.unit for experiment in imported.experiments} == {"company"}
    assert value(imported, {"company": "c"}) in {"a", "b"}


def test_null_stands_for_the_callers_default() -> None:
    (flag,) = growthbook.read({"features": {"f": {}}}).flags
    assert (flag.default, flag.variations[0].value) == ("client-default", "{}")


def test_a_coverage_of_a_forced_value_ends_before_its_bound_with_a_note() -> None:
    imported = read({"force": "on", "coverage": 0.25})
    assert imported.experiments[0].current.allocations[0].slots == ((0, 250, "on"),)
    (note,) = imported.notes
    assert note.path == "$.features.f.rules[0].coverage"
    assert "older SDKs" in note.message


@pytest.mark.parametrize(
    "rule",
    [{"force": "on", "coverage": 0}, {"key": "x", "variations": ["a"]}, {"condition": {}},
     {**SPLIT, "namespace": ["n", 0.5, 0.5]}],
)  # fmt: skip
def test_a_rule_that_takes_no_unit_is_noted(rule: Any) -> None:
    imported = read(rule)
    assert imported.experiments == []
    assert imported.notes[0].path == "$.features.f.rules[0]"


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        ({"a": "x"}, "x", "y"),
        ({"a": 1}, 1.0, True),
        ({"a": None}, None, 0),
        ({"a": {"$ne": "x"}}, None, "x"),
        ({"a": {"$ne": None}}, 0, None),
        ({"a": {"$gt": 1, "$lte": 2}}, 2, "2"),
        ({"a": {"$in": ["x", 1]}}, ["y", 1], ["y", True]),
        ({"a": {"$in": []}}, None, None),
        ({"a": {"$nin": ["x"]}}, None, ["x"]),
        ({"a": {"$exists": True}}, [], None),
        ({"a": {"$exists": False}}, None, 0),
        ({"a": {"$regex": "^x.z"}}, "xyz!", "wxyz"),
        ({"a": {"$notRegex": "x"}}, None, "x"),
        ({"a": {"$not": {"$gt": 1}}}, None, 2),
        ({"$or": [{"a": 1}, {"a": 2}]}, 2, 3),
        ({"$nor": [{"a": 1}, {"a": 2}]}, 3, 2),
        ({"$and": [{"a": {"$gt": 1}}, {"a": {"$lt": 3}}]}, 2, 3),
        ({"$not": {"a": 1}}, None, 1),
        ({"a.b": 1}, {"b": 1}, {"c": 1}),
        ({"a": {"$inGroup": "g"}}, "x", "z"),
        ({"a": {"$notInGroup": "g"}}, "z", "x"),
    ],
)
def test_a_condition_matches_as_it_did(condition: Any, matching: Any, other: Any) -> None:
    groups = {"g": {"type": "list", "values": ["x", "y"]}}
    never = condition == {"a": {"$in": []}}
    assert is_for(condition, groups=groups, a=matching) is not never
    assert not is_for(condition, groups=groups, a=other)


def test_an_empty_list_of_alternatives_holds() -> None:
    assert is_for({"$or": []})
    assert not is_for({"$nor": []})


def test_that_lists_are_compared_by_elements_is_noted_once() -> None:
    imported = read({"condition": {"a": 1}, "force": "x"}, {"condition": {"b": 1}, "force": "y"})
    (note,) = imported.notes
    assert note.path == "$.features"
    assert not read({"condition": {"a": {"$in": [1]}}, "force": "x"}).notes


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"force": 1, "parentConditions": [{"id": "g"}]}, "parentConditions"),
        ({**SPLIT, "hashVersion": 3}, "hashVersion"),
        ({**SPLIT, "weights": [1.5, -0.5]}, "weights"),
        ({**SPLIT, "filters": [{"ranges": []}, {"ranges": []}]}, "filters"),
        ({**SPLIT, "filters": [{"ranges": [], "attribute": "x"}]}, "filters[0]"),
        ({"force": 1, "coverage": 0.5, "fallbackAttribute": "x"}, "fallbackAttribute"),
        ({"contextualVariations": [1, 2]}, ""),
        *(({"force": 1, "condition": {"a": {word: 1}}}, f"condition.a.{word}")
          for word in ("$elemMatch", "$veq", "$size", "$type", "$all", "$ini", "$regexi", "$new")),
        ({"force": 1, "condition": {"a": {"$in": [None]}}}, "condition.a.$in"),
        ({"force": 1, "condition": {"a": {"$lt": "x"}}}, "condition.a.$lt"),
        ({"force": 1, "condition": {"a": {"$regex": "a$"}}}, "condition.a.$regex"),
        ({"force": 1, "condition": {"a": {"b": 1}}}, "condition.a"),
        ({"force": 1, "condition": {"a.0": 1}}, "condition.a.0"),
        ({"force": 1, "condition": {"a": {"$inGroup": "none"}}}, "condition.a.$inGroup"),
        ({"force": 1, "condition": {"$savedGroup": {"id": "g"}}}, "condition.$savedGroup"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_leaves_the_flag_out(rule: Any, path: str) -> None:
    if "$ini" in str(rule) or "$all" in str(rule):
        rule["condition"]["a"] = {word: [1] for word in rule["condition"]["a"]}
    imported = read(rule)
    assert imported.flags == imported.experiments == []
    assert imported.notes[0].path == f"$.features.f.rules[0].{path}".removesuffix(".")
    assert "flag f is left out" in imported.notes[0].message


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({}, "$"),
        ({"flags": {}}, "$.flags"),
        ({"features": []}, "$.features"),
        ({"features": {}, "encryptedFeatures": "x.y"}, "$.encryptedFeatures"),
        ({"features": {"f": 1}}, "$.features.f"),
        ({"features": {"f": {"rules": [{"coverage": "x"}]}}}, "$.features.f.rules[0].coverage"),
        ({"features": {"f": {"rules": [{"condition": {"$or": 1}, "force": 1}]}}},
         "$.features.f.rules[0].condition.$or"),
    ],
)  # fmt: skip
def test_what_is_no_payload_is_refused_with_its_place(payload: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        growthbook.read(payload)
    assert caught.value.path == path


def test_experiments_of_the_visual_editor_are_noted() -> None:
    imported = growthbook.read({"features": {}, "experiments": [{"key": "x"}]})
    assert [note.path for note in imported.notes] == ["$.experiments"]
