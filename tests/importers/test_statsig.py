"""Statsig's config specs: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import statsig
from allotment.importers.rules import Imported
from imported import catalog_of

PUBLIC = {"type": "public"}


def rule(*conditions: dict[str, Any], share: float = 100, **fields: Any) -> dict[str, Any]:
    return {"conditions": [*conditions], "passPercentage": share, "id": "r", "salt": "rs", **fields}


def field(name: str, operator: str, target: Any) -> dict[str, Any]:
    return {"type": "user_field", "field": name, "operator": operator, "targetValue": target}


def bucket(operator: str, target: Any, salt: str = "b") -> dict[str, Any]:
    return {
        "type": "user_bucket",
        "operator": operator,
        "targetValue": target,
        "additionalValues": {"salt": salt},
    }


def spec(name: str, *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "name": name, "salt": "s", "enabled": True, "defaultValue": {}, "rules": [*rules], **fields
    }  # fmt: skip


def read(*gates: dict[str, Any], configs: Any = ()) -> Imported:
    return statsig.read({"feature_gates": [*gates], "dynamic_configs": [*configs]})


def passes(*gates: dict[str, Any], **attributes: Any) -> bool:
    """Whether a user passes the first gate."""
    imported = read(*gates)
    assert len(imported.flags) == len(gates), imported.notes
    engine = Engine(compile_catalog(catalog_of(imported)))
    found = engine.resolve(gates[0]["name"], {"userID": "u"}, attributes).value
    assert isinstance(found, bool)
    return found


def test_a_share_is_of_ten_thousand_buckets_and_the_rest_has_the_default() -> None:
    (experiment,) = read(spec("g", rule(PUBLIC, share=0.07))).experiments
    iteration = experiment.current
    assert (iteration.profile, iteration.salt, experiment.unit) == ("statsig-1", "s.rs", "userID")
    assert iteration.allocations[0].slots == ((0, 8, "true"), (8, 10_000, "false")), "as floats say"


def test_without_a_salt_of_its_own_a_rule_has_its_id() -> None:
    given = rule(PUBLIC, share=50, idType="companyID")
    del given["salt"]
    (experiment,) = read(spec("g", given)).experiments
    assert (experiment.current.salt, experiment.unit) == ("s.r", "companyID")


def test_the_first_rule_whose_conditions_hold_is_final() -> None:
    gate = spec(
        "g",
        rule(field("plan", "any", ["free"]), share=0),
        rule(field("country", "any_case_sensitive", ["SE"])),
    )
    assert passes(gate, country="SE")
    assert not passes(gate, country="SE", plan="Free")
    assert not passes(gate)
    assert not passes({**gate, "enabled": False}, country="SE")


def test_groups_of_an_experiment_are_one_experiment() -> None:
    groups = [
        rule(bucket("lt", 500), returnValue={"color": "blue"}, isExperimentGroup=True),
        rule(bucket("lt", 1_000), returnValue={"color": "green"}, isExperimentGroup=True),
    ]
    outside = rule(bucket("none", list(range(100, 200)), "layer"), returnValue={})
    imported = read(configs=[spec("e", outside, *groups)])
    first, second = imported.experiments
    assert [flag.key for flag in imported.flags] == ["e"]
    assert first.current.allocations[0].slots == ((0, 100, "0"), (200, 1_000, "0"))
    assert (second.current.profile, second.current.salt) == ("statsig-layer-1", "b")
    assert second.current.allocations[0].slots == ((0, 500, "1"), (500, 1_000, "2"))


def test_two_bounds_of_one_draw_are_one() -> None:
    (experiment,) = read(spec("g", rule(bucket("gte", 100), bucket("lt", 200)))).experiments
    assert experiment.current.allocations[0].slots == ((100, 200, "true"),)


def test_groups_for_others_are_experiments_of_their_own() -> None:
    imported = read(
        spec("g", rule(bucket("lt", 5)), rule(bucket("lt", 9), field("a", "eq", 1)))
    )  # fmt: skip
    assert [each.key for each in imported.experiments] == ["g.rule-0", "g.rule-1"]


def test_a_gate_that_deals_no_shares_is_a_condition() -> None:
    segment = spec("segment:staff", rule(field("email", "str_ends_with_any", ["@Example.com"])))
    inner = spec("inner", rule(field("plan", "any", ["free"]), share=0), rule(PUBLIC))
    conditions = [
        {"type": "pass_gate", "targetValue": "segment:staff"},
        {"type": "fail_gate", "targetValue": "inner"},
    ]
    gates = [spec("g", rule(*conditions)), inner]
    imported = read(*gates, segment)
    assert [flag.key for flag in imported.flags] == ["g", "inner"]
    engine = Engine(compile_catalog(catalog_of(imported)))

    def found(**attributes: Any) -> Any:
        return engine.resolve("g", {"userID": "u"}, attributes).value

    assert found(email="a@example.COM", plan="FREE")
    assert not found(email="a@example.com", plan="pro")
    assert not found(plan="free")


@pytest.mark.parametrize(
    ("operator", "target", "matching", "other"),
    [
        ("any", ["Se", 7], "sE", "no"),
        ("any", ["a.b"], "A.B", "axb"),
        ("none", ["SE"], None, "se"),
        ("any_case_sensitive", ["SE"], "SE", "se"),
        ("none_case_sensitive", ["SE"], "se", "SE"),
        ("str_starts_with_any", ["AB"], "abc", "cab"),
        ("str_ends_with_any", ["BC"], "abc", "bca"),
        ("str_contains_any", ["B"], "abc", "ac"),
        ("str_contains_none", ["b"], None, "ABC"),
        ("str_matches", "^a.c", "abc", "babc"),
        ("gt", 1, 1.5, 1),
        ("gte", 1, 1, 0),
        ("lt", 1, 0, None),
        ("lte", 1, 1, 2),
        ("eq", 5, 5.0, 6),
        ("eq", None, None, 0),
        ("neq", "x", None, "x"),
    ],
)
def test_a_condition_matches_as_it_did(
    operator: str, target: Any, matching: Any, other: Any
) -> None:
    gate = spec("g", rule(field("f", operator, target)))
    assert passes(gate, f=matching)
    assert not passes(gate, f=other)


def test_what_is_to_be_sent_is_noted_once() -> None:
    (note,) = read(spec("g", rule(field("a", "eq", 1)), rule(field("b", "any", ["x"])))).notes
    assert note.path == "$"
    assert "send text where text is compared" in note.message
    assert read(spec("g", rule(PUBLIC))).notes == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (rule(PUBLIC, configDelegate="e"), "rules[0].configDelegate"),
        (rule(bucket("lt", 5), share=50), "rules[0]"),
        (rule(bucket("lt", 5), bucket("lt", 5, "c")), "rules[0]"),
        (rule(bucket("eq", 5)), "rules[0].conditions[0].operator"),
        (rule({**bucket("lt", 5), "additionalValues": {}}),
         "rules[0].conditions[0].additionalValues"),
        *((rule({"type": kind, "field": "x"}), "rules[0].conditions[0].type")
          for kind in ("ip_based", "ua_based", "current_time", "environment_field", "target_app")),
        *((rule(field("x", word, ["1"])), "rules[0].conditions[0].operator")
          for word in ("version_gt", "before", "in_segment_list", "array_contains_any", "new")),
        (rule(field("x", "any", ["ß"])), "rules[0].conditions[0].targetValue"),
        (rule(field("x", "gt", "1")), "rules[0].conditions[0].targetValue"),
        (rule({"type": "pass_gate", "targetValue": "none"}), "rules[0].conditions[0].targetValue"),
        (rule({"type": "pass_gate", "targetValue": "g"}), "rules[0].conditions[0].targetValue"),
        (rule(PUBLIC, hidden=1), "rules[0]"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_leaves_the_gate_out(given: Any, path: str) -> None:
    imported = read(spec("g", given))
    assert imported.flags == imported.experiments == []
    assert imported.notes[0].path == f"$.feature_gates[0].{path}"
    assert "feature gate g is left out" in imported.notes[0].message


def test_a_gate_that_asks_for_a_share_of_another_is_left_out() -> None:
    asking = spec("g", rule({"type": "fail_gate", "targetValue": "share"}))
    imported = read(asking, spec("share", rule(PUBLIC, share=50)))
    assert [flag.key for flag in imported.flags] == ["share"]
    assert "which deals a share" in imported.notes[0].message


def test_an_overridden_config_is_left_out() -> None:
    payload = {"feature_gates": [spec("g")], "dynamic_configs": [], "overrides": {"g": []}}
    assert "an override maps it" in statsig.read(payload).notes[0].message


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({"feature_gates": []}, "$"),
        ({"feature_gates": {}, "dynamic_configs": []}, "$.feature_gates"),
        ({"feature_gates": [1], "dynamic_configs": []}, "$.feature_gates[0]"),
        ({"feature_gates": [spec("g", {"conditions": ["id"], "passPercentage": 1})],
          "dynamic_configs": []}, "$.feature_gates[0].rules[0].conditions[0]"),
    ],
)  # fmt: skip
def test_what_is_no_payload_is_refused_with_its_place(payload: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        statsig.read(payload)
    assert caught.value.path == path
