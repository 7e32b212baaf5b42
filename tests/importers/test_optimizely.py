"""Optimizely's datafile: what each part becomes, and what is left out with a note."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import optimizely
from allotment.importers.rules import Imported
from imported import catalog_of

HEAD = {"version": "4", "accountId": "1", "projectId": "2", "revision": "3"}


def variation(key: str, *values: str, on: bool = True) -> dict[str, Any]:
    uses = [{"id": f"v{index}", "value": value} for index, value in enumerate(values)]
    return {"id": f"id-{key}", "key": key, "featureEnabled": on, "variables": uses}


def traffic(**ends: int) -> list[dict[str, Any]]:
    """Ends of buckets, by the keys of variations; `none` is nothing."""
    return [
        {"entityId": "" if key == "none" else f"id-{key}", "endOfRange": end}
        for key, end in ends.items()
    ]


def rule(number: int, *variations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made = {
        "id": f"{number}",
        "key": f"rule{number}",
        "layerId": "1",
        "status": "Running",
        "audienceIds": [],
        "forcedVariations": {},
        "variations": list(variations) or [variation("a"), variation("b")],
        "trafficAllocation": traffic(a=2_500, none=5_000, b=10_000),
    }
    return made | fields


def flag(key: str, *experiments: int, rollout: str = "", **variables: str) -> dict[str, Any]:
    given = [
        {"id": f"v{index}", "key": kind, "type": kind, "defaultValue": value}
        for index, (kind, value) in enumerate(variables.items())
    ]
    return {
        "id": key,
        "key": key,
        "experimentIds": [f"{each}" for each in experiments],
        "rolloutId": rollout,
        "variables": given,
    }


def beta(identity: str) -> dict[str, Any]:
    leaf = {"type": "custom_attribute", "name": "beta", "match": "exact", "value": True}
    return {"id": identity, "name": "Beta", "conditions": leaf}


def read(**parts: Any) -> Imported:
    return optimizely.read(HEAD | parts)


def reads(**parts: Any) -> Engine:
    imported = read(**parts)
    assert not [note for note in imported.notes if "left out" in note.message], imported.notes
    return Engine(compile_catalog(catalog_of(imported)))


def said(imported: Imported) -> str:
    return "\n".join(f"{note.path}: {note.message}" for note in imported.notes)


def test_an_experiment_has_its_id_for_a_salt_and_its_buckets_as_they_are() -> None:
    (experiment,) = read(featureFlags=[flag("f", 7)], experiments=[rule(7)]).experiments
    iteration = experiment.current
    assert (experiment.key, iteration.profile, iteration.salt) == ("f.rule7", "optimizely-1", "7")
    assert iteration.allocations[0].slots == ((0, 2_500, "a"), (5_000, 10_000, "b"))


def test_an_end_that_is_below_the_one_before_has_no_buckets() -> None:
    given = rule(7, trafficAllocation=traffic(a=6_000, b=4_000))
    (experiment,) = read(featureFlags=[flag("f", 7)], experiments=[given]).experiments
    assert experiment.current.allocations[0].slots == ((0, 6_000, "a"),)


def test_the_value_is_what_decide_answers() -> None:
    on = variation("a", "5", "2", "true", "x", "[1]")
    variables = {"double": "0.5", "integer": "1", "boolean": "false", "string": "-", "json": "{}"}
    given = rule(1, on, variation("b", "9", on=False), trafficAllocation=traffic(a=10_000))
    imported = read(featureFlags=[flag("f", 1, **variables)], experiments=[given])
    values = {each.key: json.loads(each.value) for each in imported.flags[0].variations}
    default = {"double": 0.5, "integer": 1, "boolean": False, "string": "-", "json": {}}
    set_there = {"double": 5.0, "integer": 2, "boolean": True, "string": "x", "json": [1]}
    assert values == {
        "undecided": {"enabled": False, "variables": default},
        "a": {"enabled": True, "variables": set_there},
        "b": {"enabled": False, "variables": default},
    }
    assert imported.flags[0].default == "undecided"


def test_a_text_with_json_in_it_is_json() -> None:
    given = flag("f", string="[1]")
    given["variables"][0]["subType"] = "json"
    default = read(featureFlags=[given]).flags[0].variations[0]
    assert json.loads(default.value)["variables"] == {"string": [1]}


def test_variations_of_one_key_and_two_values_have_their_rules_names() -> None:
    second = rule(2, {**variation("a", on=False), "id": "other"}, trafficAllocation=[])
    imported = read(featureFlags=[flag("f", 1, 2)], experiments=[rule(1), second])
    assert [each.key for each in imported.flags[0].variations] == ["undecided", "a", "b", "rule2.a"]


def test_what_does_not_run_or_has_no_buckets_is_said() -> None:
    paused, empty = rule(1, status="Paused"), rule(2, trafficAllocation=[])
    imported = read(featureFlags=[flag("f", 1, 2)], experiments=[paused, empty])
    assert (len(imported.flags), imported.experiments) == (1, [])
    assert "$.experiments[0]: it is 'Paused'" in said(imported)
    assert "$.experiments[1]: it has no buckets" in said(imported)


def test_users_who_are_forced_come_before_the_audience_and_the_group() -> None:
    forced = rule(1, audienceIds=["x"], forcedVariations={"ann": "b", "bo": "gone"})
    group = {"id": "g", "policy": "random", "trafficAllocation": [], "experiments": [forced]}
    engine = reads(featureFlags=[flag("f", 1)], groups=[group], typedAudiences=[beta("x")])
    assert engine.resolve("f", {"user": "ann"}).variation == "b"
    assert engine.resolve("f", {"user": "bo"}).variation == "undecided"


def test_a_group_is_a_layer_in_which_each_experiment_has_its_buckets() -> None:
    allocation = [{"entityId": "1", "endOfRange": 3_000}, {"entityId": "2", "endOfRange": 9_000}]
    group = {"id": "9", "policy": "random", "trafficAllocation": allocation}
    group["experiments"] = [rule(1), rule(2)]
    imported = read(featureFlags=[flag("f", 1), flag("g", 2)], groups=[group])
    (layer,) = imported.layers.values()
    assert (layer.key, layer.salt, layer.profile) == ("group-9", "9", "optimizely-1")
    owned = {each.experiment: each.ranges for each in layer.reservations}
    assert owned == {"f.rule1": ((0, 3_000),), "g.rule2": ((3_000, 9_000),)}


def test_experiments_of_a_group_that_overlaps_are_in_no_layer() -> None:
    group = {"id": "9", "policy": "overlapping", "trafficAllocation": []}
    imported = read(featureFlags=[flag("f", 1)], groups=[{**group, "experiments": [rule(1)]}])
    assert (len(imported.experiments), imported.layers) == (1, {})


def test_an_experiment_without_a_flag_becomes_a_flag_of_its_name() -> None:
    imported = read(experiments=[rule(3)])
    assert [flag.key for flag in imported.flags] == ["rule3"]
    assert [each.key for each in imported.experiments] == ["rule3"]
    values = [(each.key, each.value) for each in imported.flags[0].variations]
    assert values == [("client-default", "{}"), ("a", '"a"'), ("b", '"b"')]


def test_who_misses_a_rule_of_a_rollout_goes_on_to_the_last() -> None:
    rules = [
        rule(1, variation("a"), audienceIds=["x"], trafficAllocation=traffic(none=10_000)),
        rule(2, variation("b"), trafficAllocation=traffic(b=10_000), status="Not started"),
        rule(3, variation("c"), trafficAllocation=traffic(c=10_000)),
    ]
    engine = reads(
        featureFlags=[flag("f", rollout="r")],
        rollouts=[{"id": "r", "experiments": rules}],
        typedAudiences=[beta("x")],
    )
    assert engine.resolve("f", {"user": "u"}, {"beta": True}).variation == "c"
    assert engine.resolve("f", {"user": "u"}, {"beta": False}).variation == "b"


def test_who_misses_a_feature_rollout_gets_what_everyone_else_gets() -> None:
    given = rule(1, variation("a"), type="fr", trafficAllocation=traffic(a=4_000))
    last = rule(2, variation("z"), trafficAllocation=traffic(z=10_000))
    imported = read(
        featureFlags=[flag("f", 1, rollout="r")],
        rollouts=[{"id": "r", "experiments": [last]}],
        experiments=[given],
    )
    assert imported.experiments[0].current.allocations[0].slots == (
        (0, 4_000, "a"), (4_000, 10_000, "z"),
    )  # fmt: skip


def holdout(key: str, end: int = 500, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"id-{key}",
        "key": key,
        "status": "Running",
        "audienceIds": [],
        "variations": [variation("off", on=False)],
        "trafficAllocation": traffic(off=end),
        **fields,
    }


def test_holdouts_come_before_what_they_hold_out_with_their_own_variation() -> None:
    imported = read(
        featureFlags=[flag("f", 1, 2)],
        experiments=[rule(1), rule(2)],
        holdouts=[holdout("all"), holdout("draft", status="Draft")],
        localHoldouts=[holdout("two", includedRules=["2"])],
    )
    order = [each.experiment for each in imported.flags[0].experiments]
    assert order == ["f.all", "f.rule1", "f.rule2.two", "f.rule2"]
    assert imported.experiments[0].current.salt == "id-all"
    assert imported.experiments[0].current.allocations[0].slots == ((0, 500, "off"),)


@pytest.mark.parametrize(("end", "share"), [(500, 50_000), (10_000, 1_000_000)])
def test_a_holdout_that_deliveries_pass_over_is_a_holdout_of_the_others(
    end: int, share: int
) -> None:
    imported = read(
        featureFlags=[flag("f", 1, 2)],
        experiments=[rule(1), rule(2, type="td")],
        holdouts=[holdout("h", end, excludeTargetedDeliveries=True)],
    )
    (made,) = imported.holdouts
    assert (made.key, made.salt, made.share_ppm) == ("h", "id-h", share)
    assert made.profile == "optimizely-1"
    assert [each.holdout for each in imported.experiments] == ["h", None]


@pytest.mark.parametrize(
    ("parts", "path", "reason"),
    [
        ({"experiments": [rule(1, cmab={"x": 1})]}, "$.experiments[0]", "a bandit"),
        ({"experiments": []}, "$.featureFlags[0].experimentIds[0]", "0 rules have the id '1'"),
        ({"experiments": [rule(1), rule(1)]}, "$.featureFlags[0]", "2 rules have the id '1'"),
        ({"experiments": [rule(1, audienceIds=["x"])]}, "audienceIds[0]", "'x' is not there"),
        ({"experiments": [rule(1, audienceConditions=["or", []])]}, "[1]", "an empty list"),
        ({"experiments": [rule(1, color=1)]}, "$.experiments[0]", "unknown field"),
        (
            {"experiments": [rule(1, variation("a"), variation("a"))]},
            "$.experiments[0].variations", "two variations have one key",
        ),
        (
            {"experiments": [rule(1), rule(2, variation("a", "1"))]},
            "$.experiments[0].variations[0].id", "with other values",
        ),
        (
            {"experiments": [rule(1, forcedVariations={"u": "a"}), rule(2, key="rule1")]},
            "$.experiments[0].key", "several rules are called 'rule1'",
        ),
        (
            {"experiments": [rule(1)], "holdouts": [
                holdout("h", variations=[variation("off")])
            ]},
            "$.holdouts[0].variations[0]", "does not switch a flag on",
        ),
        (
            {"experiments": [rule(1)], "holdouts": [
                holdout("h", excludeTargetedDeliveries=True), holdout("i")
            ]},
            "$.holdouts[1]", "stands before others",
        ),
        (
            {"experiments": [rule(1)], "holdouts": [
                holdout("h", excludeTargetedDeliveries=True, trafficAllocation=[])
            ]},
            "$.holdouts[0]", "the first buckets of everyone only",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_said_exactly_leaves_the_flag_out(
    parts: dict[str, Any], path: str, reason: str
) -> None:
    imported = read(featureFlags=[flag("f", 1)], **parts)
    assert "f" not in {flag.key for flag in imported.flags}
    assert any(path in note.path and reason in note.message for note in imported.notes), (
        imported.notes
    )


def test_a_value_that_its_type_does_not_spell_leaves_the_flag_out() -> None:
    imported = read(featureFlags=[flag("f", integer="one")])
    assert "the variable 'integer' is 'one', which is no integer" in said(imported)


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({"version": "3"}, "$.version"),
        (HEAD | {"experiments": {}}, "$.experiments"),
        (HEAD | {"rollouts": [1]}, "$.rollouts[0]"),
        (HEAD | {"secrets": []}, "$.secrets"),
        (HEAD | {"featureFlags": [{"key": "f"}]}, "$.featureFlags[0]"),
        (
            HEAD | {"experiments": [rule(1, trafficAllocation=3)]},
            "$.experiments[0].trafficAllocation",
        ),
    ],
)
def test_what_is_no_datafile_is_refused_with_its_place(payload: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        optimizely.read(payload)
    assert refused.value.path == path
