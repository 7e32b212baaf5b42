"""LaunchDarkly's payload: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import launchdarkly
from allotment.importers.rules import Imported
from imported import catalog_of

ROLLOUT = {"variations": [{"variation": 0, "weight": 60_000}, {"variation": 1, "weight": 40_000}]}


def flag(**fields: Any) -> dict[str, Any]:
    """A flag with two variations whose fallthrough is its off variation."""
    return {
        "on": True,
        "salt": "s",
        "variations": [False, True],
        "offVariation": 0,
        "fallthrough": {"variation": 0},
        **fields,
    }


def clause(attribute: str, op: str, *values: Any, **fields: Any) -> dict[str, Any]:
    return {"attribute": attribute, "op": op, "values": list(values), **fields}


def ruled(*clauses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A flag with one rule, for whom it is on."""
    return flag(rules=[{"clauses": list(clauses), "variation": 1}], **fields)


def read(one: dict[str, Any], **segments: Any) -> Imported:
    return launchdarkly.read({"flags": {"f": one}, "segments": segments})


def is_on(one: dict[str, Any], unit: str = "u", segments: Any = None, **attributes: Any) -> Any:
    imported = read(one, **(segments or {}))
    assert imported.notes == []
    engine = Engine(compile_catalog(catalog_of(imported)))
    return engine.resolve("f", unit, attributes).value


def note_of(one: dict[str, Any], **segments: Any) -> str:
    """The one note on a flag that is left out whole."""
    imported = read(one, **segments)
    assert (imported.flags, imported.experiments) == ([], [])
    return "{0.path}: {0.message}".format(imported.notes[-1])


def test_a_rollout_has_the_platforms_own_draw_and_the_last_variation_what_is_left() -> None:
    rollout = {"variations": [{"variation": 1, "weight": 10_000}, {"variation": 0, "weight": 1}]}
    imported = read(flag(fallthrough={"rollout": rollout}))
    (experiment,) = imported.experiments
    iteration = experiment.current
    assert (experiment.key, iteration.profile, iteration.salt) == (
        "f.fallthrough", "launchdarkly-1", "f.s",
    )  # fmt: skip
    slots = iteration.allocations[0].slots
    assert slots == ((0, 115292150460684696, "true"), (115292150460684696, 2**60, "false"))


def test_a_seed_takes_the_place_of_the_keys() -> None:
    rollout = {"kind": "experiment", "seed": 61, "bucketBy": "country", **ROLLOUT}
    (experiment,) = read(flag(fallthrough={"rollout": rollout})).experiments
    assert experiment.current.salt == "61"


def test_the_first_target_or_rule_that_matches_is_final() -> None:
    one = flag(
        targets=[{"variation": 1, "values": ["a", "ü"]}, {"variation": 0, "values": ["a", "b"]}],
        rules=[
            {"clauses": [clause("plan", "in", "free")], "variation": 0},
            {"clauses": [clause("country", "in", "SE")], "variation": 1},
        ],
    )
    assert is_on(one, "a")
    assert is_on(one, "ü")
    assert not is_on(one, "b", country="SE")
    assert not is_on(one, "c", plan="free", country="SE")
    assert is_on(one, "c", country="SE")
    assert not is_on(one, "c")


def test_a_flag_that_is_off_gives_its_off_variation_to_targets_too() -> None:
    assert is_on(flag(on=False, targets=[{"variation": 1, "values": ["a"]}]), "a") is False


def test_without_an_off_variation_the_caller_has_a_default() -> None:
    one = flag(on=False)
    del one["offVariation"]
    (made,) = read(one).flags
    assert (made.default, made.variations[-1].value) == ("client-default", "{}")


def test_targets_of_contexts_say_in_which_order_those_of_users_count() -> None:
    one = flag(
        targets=[{"variation": 0, "values": ["a"]}, {"variation": 1, "values": ["a"]}],
        contextTargets=[{"variation": 1, "values": []}, {"variation": 0, "values": []}],
    )
    assert is_on(one, "a")


@pytest.mark.parametrize(
    ("given", "matching", "other"),
    [
        (clause("n", "in", 1, "x", True), 1.0, False),
        (clause("n", "startsWith", "ab", 7), "abc", "bab"),
        (clause("n", "endsWith", "ab"), "bab", "abc"),
        (clause("n", "contains", "b"), ["a", "abc"], ["a", "c"]),
        (clause("n", "matches", "^a.*c"), "abc", "bac"),
        (clause("n", "lessThan", 5), 4.5, 5),
        (clause("n", "greaterThanOrEqual", 5), 5, "5"),
        (clause("n", "in", "x", negate=True), "y", "x"),
        (clause("n", "in", "x", negate=True), [], None),
    ],
)
def test_a_clause_matches_as_it_did(given: Any, matching: Any, other: Any) -> None:
    assert is_on(ruled(given), n=matching)
    assert not is_on(ruled(given), n=other)


def test_a_reference_is_a_path_only_beside_a_kind_of_context() -> None:
    with_kind = clause("/a/b~1c", "in", 1, contextKind="user")
    assert is_on(ruled(with_kind), a={"b/c": 1})
    assert is_on(ruled(clause("/a", "in", 1)), **{"/a": 1})


def test_a_clause_may_name_units() -> None:
    for op in ({}, {"negate": True}):
        one = ruled(clause("key", "in", "a", 7, **op))
        assert is_on(one, "a") is not bool(op)
        assert is_on(one, "7", key="a") is bool(op)


def test_who_does_not_say_is_not_anonymous() -> None:
    assert is_on(ruled(clause("anonymous", "in", False)))
    assert not is_on(ruled(clause("anonymous", "in", False)), anonymous=True)


def test_segments_lead_to_segments() -> None:
    segments = {
        "outer": {"rules": [{"clauses": [clause("", "segmentMatch", "inner")]}]},
        "inner": {
            "included": ["a"],
            "excluded": ["b"],
            "rules": [{"clauses": [clause("country", "in", "SE")]}],
        },
    }
    one = ruled(clause("", "segmentMatch", "outer"))
    assert is_on(one, "a", segments)
    assert is_on(one, "c", segments, country="SE")
    assert not is_on(one, "b", segments, country="SE")


def test_a_kind_of_context_is_a_kind_of_unit() -> None:
    rollout = {"contextKind": "device", **ROLLOUT}
    (experiment,) = read(flag(fallthrough={"rollout": rollout})).experiments
    assert experiment.unit == "device"


def test_flag_values_are_flags_without_rules() -> None:
    (made,) = launchdarkly.read({"flagValues": {"f": {"x": [1]}}}).flags
    assert (made.default, made.variations[0].value) == ("0", '{"x": [1]}')


@pytest.mark.parametrize(
    ("one", "segments", "said"),
    [
        (flag(prerequisites=[{"key": "g", "variation": 0}]), {}, "$.flags.f.prerequisites"),
        (flag(fallthrough={"rollout": {"bucketBy": "org", **ROLLOUT}}), {},
         "$.flags.f.fallthrough.rollout.bucketBy"),
        (flag(fallthrough={"variation": 2}), {}, "there is no variation 2"),
        (flag(fallthrough={}), {}, "it serves no variation"),
        (flag(hidden=1), {}, "object contains unknown field `hidden`"),
        (flag(deleted=True), {}, "it is deleted"),
        (ruled(clause("v", "semVerEqual", "2")), {}, "$.flags.f.rules[0].clauses[0].op"),
        (ruled(clause("v", "before", 0)), {}, "dates are not compared here"),
        (ruled(clause("v", "matches", "a$")), {}, "do not read this pattern alike"),
        (ruled(clause("v", "in", None)), {}, "$.flags.f.rules[0].clauses[0].values[0]"),
        (ruled(clause("v", "lessThan", 2**53)), {}, "compares doubles"),
        (ruled(clause("key", "startsWith", "a")), {}, "'key' is no attribute"),
        (ruled(clause("v", "contains", "x" * 2_000)), {}, "at most 1,024 characters"),
        (ruled(clause("v", "in", 1, contextKind="org"),
               fallthrough={"rollout": ROLLOUT}), {}, "several kinds of context"),
        (ruled(clause("", "segmentMatch", "none")), {}, "the segment 'none' is not there"),
        (ruled(clause("", "segmentMatch", "s")), {"s": {"unbounded": True}}, "was left out"),
        (ruled(clause("", "segmentMatch", "s")),
         {"s": {"rules": [{"clauses": [], "weight": 5}]}}, "was left out"),
        (ruled(clause("", "segmentMatch", "s")),
         {"s": {"rules": [{"clauses": [clause("", "segmentMatch", "s")]}]}}, "was left out"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_leaves_the_flag_out(one: Any, segments: Any, said: str) -> None:
    assert said in note_of(one, **segments)


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({"features": {}}, "$"),
        ({"flags": []}, "$.flags"),
        ({"flags": {"f": {"on": True}}}, "$.flags.f"),
        ({"flags": {"f": flag(salt=1)}}, "$.flags.f.salt"),
        ({"flags": {"f": ruled({"op": "in", "values": []})}}, "$.flags.f.rules[0].clauses[0]"),
        ({"segments": {"s": {"included": [1]}}}, "$.segments.s.included[0]"),
    ],
)
def test_what_is_no_payload_is_refused_with_its_place(payload: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        launchdarkly.read(payload)
    assert caught.value.path == path
