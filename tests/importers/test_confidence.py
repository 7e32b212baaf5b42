"""The state of Confidence's resolvers: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.importers import confidence, confidence_state
from allotment.importers.rules import Imported
from allotment.model.profile import PROFILES
from confidencestate import encode, packed
from imported import catalog_of

ON = {"variant": {"variant": "flags/f/variants/on"}}
OFF = {"variant": {"variant": "flags/f/variants/off"}}


def dealt(kind: dict[str, Any], *ranges: tuple[int, int]) -> dict[str, Any]:
    shown = [{"lower": lower, "upper": upper} for lower, upper in ranges]
    return {"assignmentId": "a", **kind, "bucketRanges": shown}


def rule(*assignments: dict[str, Any], buckets: int = 10, **fields: Any) -> dict[str, Any]:
    spec = {"bucketCount": buckets, "assignments": list(assignments) or [dealt(ON, (0, buckets))]}
    named = {"name": "flags/f/rules/r", "segment": "segments/s", "enabled": True}
    return {**named, "assignmentSpec": spec, **fields}


def flag(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    variants = [{"name": f"flags/f/variants/{key}", "value": {"x": key}} for key in ("on", "off")]
    shown = {"name": "flags/f", "state": 1, "clients": ["clients/c"], "variants": variants}
    return {**shown, "rules": list(rules) or [rule()], **fields}


def segment(name: str = "s", criterion: Any = None, **fields: Any) -> dict[str, Any]:
    made = {"name": f"segments/{name}", "displayName": name.upper()}
    if criterion is not None:
        criteria = [{"key": "one", "value": criterion}]
        made["targeting"] = {"criteria": criteria, "expression": {"ref": "one"}}
    return {**made, **fields}


def read(*flags: dict[str, Any], account: str = "acme", **state: Any) -> Imported:
    """What a state becomes that went through its bytes."""
    usual = {"segmentsNoBitsets": [segment()], "clients": [{"name": "clients/c"}]}
    data = encode(account, flags=list(flags) or [flag()], **(usual | state))
    return confidence.read(confidence_state.decode(data))


def said(imported: Imported) -> str:
    return "\n".join(f"{note.path}: {note.message}" for note in imported.notes)


def bits(*ranges: tuple[int, int], count: int = 1_000_000) -> str:
    flags = np.zeros(count, np.uint8)
    for start, stop in ranges:
        flags[start:stop] = 1
    return packed(np.packbits(flags, bitorder="little").tobytes())


def holds(criterion: dict[str, Any], **context: Any) -> bool:
    imported = read(segmentsNoBitsets=[segment(criterion=criterion)])
    assert imported.flags, imported.notes
    engine = Engine(compile_catalog(catalog_of(imported)))
    return engine.resolve("f", {"user": "u"}, context).variation == "on"


def attribute(**given: Any) -> dict[str, Any]:
    return {"attribute": {"attributeName": "a.b", **given}}


def test_a_rule_deals_by_the_id_of_its_segment() -> None:
    imported = read(flag(rule(dealt(ON, (0, 3)), dealt(OFF, (5, 10)))))
    (experiment,) = imported.experiments
    iteration = experiment.current
    assert (experiment.key, iteration.profile, iteration.salt) == (
        "f.r",
        "confidence-variant-1",
        "s",
    )
    assert iteration.allocations[0].slots == ((0, 3, "on"), (5, 10, "off"))
    assert (iteration.allocations[0].total, iteration.audience) == (10, None)
    assert [each.key for each in imported.flags[0].variations] == ["client-default", "on", "off"]


def test_the_first_assignment_has_a_bucket_that_several_name() -> None:
    given = rule(dealt({"fallthrough": {}}, (2, 4)), dealt(ON, (0, 3), (3, 6)), dealt(OFF, (5, 99)))
    imported = read(flag(given))
    slots = imported.experiments[0].current.allocations[0].slots
    assert slots == ((0, 2, "on"), (4, 6, "on"), (6, 10, "off"))
    assert "assignments[0]: who falls through is recorded there" in said(imported)


def test_the_clients_default_is_a_treatment_and_ends_it() -> None:
    first = rule(dealt({"clientDefault": {}}, (0, 10)))
    imported = read(flag(first, rule(name="flags/f/rules/q")))
    engine = Engine(compile_catalog(catalog_of(imported)))
    assert engine.resolve("f", {"user": "u"}).variation == "client-default"


def test_a_units_key_is_what_the_selector_names() -> None:
    imported = read(flag(rule(targetingKeySelector="visitor_id")))
    assert imported.experiments[0].unit == "visitor_id"
    assert read(flag(rule(targetingKeySelector="targeting_key"))).experiments[0].unit == "user"


def test_bits_are_a_sample_of_the_accounts_layer() -> None:
    given = bits((0, 3), (9, 20), (999_990, 1_000_000))
    imported = read(bitsets=[{"segment": "segments/s", "gzippedBitset": given}])
    (made,) = imported.segments
    assert (made.key, made.name, imported.experiments[0].current.audience) == ("s", "S", "s")
    assert made.sample is not None
    assert made.sample.ranges == ((0, 3), (9, 20), (999_990, 1_000_000))
    assert (made.sample.share_ppm, made.sample.layer) == (24, "confidence")
    layer = imported.layers["confidence"]
    assert (layer.profile, layer.salt) == ("confidence-population-1", "MegaSalt-acme")
    assert PROFILES[layer.profile].count(1) == 1_000_000


def test_bits_that_end_early_have_no_bucket_after_them() -> None:
    imported = read(bitsets=[{"segment": "segments/s", "gzippedBitset": bits((0, 80), count=80)}])
    assert imported.segments[0].sample is not None
    assert imported.segments[0].sample.ranges == ((0, 80),)


def test_a_full_segment_without_targeting_is_everyone() -> None:
    imported = read(bitsets=[{"segment": "segments/s", "fullBitset": True}])
    assert (imported.segments, imported.layers) == ([], {})


def test_tags_keep_samples_apart_where_they_are_apart() -> None:
    allocation = {"exclusivityTags": ["t"], "exclusiveTo": ["t"]}
    flags = [flag(), flag(rule(segment="segments/q"), name="flags/g")]
    segments = [segment(allocation=allocation), segment("q", allocation=allocation)]
    for start, tags in ((5, ("t",)), (2, ())):
        bitsets = [
            {"segment": "segments/s", "gzippedBitset": bits((0, 5))},
            {"segment": "segments/q", "gzippedBitset": bits((start, 9))},
        ]
        imported = read(*flags, segmentsNoBitsets=segments, bitsets=bitsets)
        assert len(imported.flags) == 2, imported.notes
        first, second = (each.sample for each in imported.segments)
        assert first is not None
        assert second is not None
        assert (first.tags, second.tags) == (("t",), tags)
        assert ("its tags are left out" in said(imported)) is (tags == ())


@pytest.mark.parametrize(
    ("given", "matching", "others"),
    [
        ({"eqRule": {"value": {"stringValue": "7"}}}, ["7", 7, ["x", 7.0]], ["8", True, None, {}]),
        ({"eqRule": {"value": {"numberValue": 7}}}, [7, 7.0, [7]], [8, True, None]),
        ({"eqRule": {"value": {"boolValue": True}}}, [True, "true", "TRUE"], [False, "True", 1]),
        ({"eqRule": {"value": {"boolValue": False}}}, [False, "", "no"], [True, "true", 0, None]),
        (
            {"setRule": {"values": [{"stringValue": "a"}, {"numberValue": 7}]}},
            ["a"], [7, "b", None],
        ),
        ({"setRule": {"values": []}}, [], ["a", None]),
        ({"rangeRule": {"startInclusive": {"numberValue": 5}}}, [5, 6], [4.9, None, True]),
        (
            {"rangeRule": {
                "startExclusive": {"numberValue": 5}, "endExclusive": {"numberValue": 7},
            }},
            [6], [5, 7],
        ),
        ({"rangeRule": {"endInclusive": {"numberValue": 5}}}, [5, -1], [6]),
        ({"rangeRule": {}}, [], [5, None]),
        ({"startsWithRule": {"value": "7"}}, ["77", ["7"]], [7, "8"]),
        ({"endsWithRule": {"value": "x"}}, ["ax"], ["xa"]),
        ({"containsRule": {"value": "b"}}, ["abc"], ["ac", None]),
        ({"anyRule": {"rule": {"eqRule": {"value": {"stringValue": "a"}}}}}, ["a", ["b", "a"]], []),
    ],
)  # fmt: skip
def test_a_criterion_matches_as_it_did(given: Any, matching: list[Any], others: list[Any]) -> None:
    criterion = attribute(**given)
    assert all(holds(criterion, a={"b": value}) for value in matching)
    assert not any(holds(criterion, a={"b": value}) for value in others)
    assert not holds(criterion)


def test_expressions_nest_and_a_name_that_is_not_there_is_never_met() -> None:
    given = segment(criterion=attribute(eqRule={"value": {"stringValue": "x"}}))
    for expression, expected in (
        ({"not": {"ref": "one"}}, True),
        ({"and": {"operands": []}}, True),
        ({"or": {"operands": []}}, False),
        ({"ref": "two"}, False),
        ({"or": {"operands": [{"ref": "one"}, {"not": {"ref": "two"}}]}}, True),
    ):
        given["targeting"]["expression"] = expression
        imported = read(segmentsNoBitsets=[given])
        engine = Engine(compile_catalog(catalog_of(imported)))
        assert (engine.resolve("f", {"user": "u"}).variation == "on") is expected, expression


def test_another_segment_is_its_targeting() -> None:
    inner = segment("t", attribute(eqRule={"value": {"stringValue": "x"}}))
    outer = segment(criterion={"segment": {"segment": "segments/t"}})
    engine = Engine(compile_catalog(catalog_of(read(segmentsNoBitsets=[outer, inner]))))
    assert engine.resolve("f", {"user": "u"}, {"a": {"b": "x"}}).variation == "on"
    assert engine.resolve("f", {"user": "u"}).variation == "client-default"


def test_fields_of_the_schema_that_a_value_lacks_are_null_and_whole_numbers_whole() -> None:
    schema = {"schema": [
        {"key": "x", "value": {"stringSchema": {}}},
        {"key": "in", "value": {"structSchema": {"schema": [{"key": "y"}]}}},
        {"key": "deep", "value": {"structSchema": {"schema": [{"key": "y"}]}}},
    ]}  # fmt: skip
    variants = [{"name": "flags/f/variants/on", "value": {"n": [1, 1.5], "in": {"z": True}}}]
    imported = read(flag(variants=variants, schema=schema))
    value = '{"deep": null, "in": {"y": null, "z": true}, "n": [1, 1.5], "x": null}'
    assert imported.flags[0].variations[1].value == value


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        (flag(state=2), "flags[0].state", "archived"),
        (flag(clients=["clients/d"]), "flags[0].clients", "no client of the file"),
        (flag(rule(environments=["e"])), ".environments", "some environments only"),
        (flag(rule(materializationSpec={})), ".materializationSpec", "keeps what units got"),
        (flag(rule(buckets=0)), ".bucketCount", "fails without a bucket"),
        (flag(rule(dealt({"variant": {"variant": "v"}}, (0, 1)))), ".variant", "no variant 'v'"),
    ],
)
def test_what_cannot_be_said_exactly_leaves_the_flag_out(
    given: dict[str, Any], path: str, reason: str
) -> None:
    imported = read(given)
    assert imported.flags == []
    assert any(path in note.path and reason in note.message for note in imported.notes), (
        imported.notes
    )


@pytest.mark.parametrize(
    ("criterion", "reason"),
    [
        ({"materializedSegment": {}}, "a list of units that the file does not hold"),
        (attribute(allRule={"rule": {"eqRule": {"value": {"stringValue": "a"}}}}), "not by all"),
        (attribute(eqRule={"value": {"versionValue": {}}}), "a versionValue is compared"),
        (attribute(eqRule={"value": {"stringValue": "null"}}), "stands for a missing attribute"),
        (attribute(rangeRule={"startInclusive": {"stringValue": "a"}}), "the order of a string"),
        (attribute(), "says nothing that is known"),
        ({"segment": {"segment": "segments/s"}}, "leads back to itself"),
        ({"attribute": {"attributeName": "a..b", "startsWithRule": {"value": ""}}}, "has no name"),
        (
            attribute(anyRule={"rule": {"rangeRule": {
                "startInclusive": {"numberValue": 1}, "endInclusive": {"numberValue": 2},
            }}}),
            "each element of a list more than once",
        ),
    ],
)  # fmt: skip
def test_a_targeting_that_cannot_be_said_leaves_the_flag_out(
    criterion: dict[str, Any], reason: str
) -> None:
    imported = read(segmentsNoBitsets=[segment(criterion=criterion)])
    assert imported.flags == []
    assert reason in said(imported)


@pytest.mark.parametrize(
    ("bitset", "reason"),
    [
        (packed(b"\x55" * 125_000), "its bits are 500,000 ranges of buckets"),
        (packed(b"\0" * 125_001), "a segment has 1,000,000 bits"),
        ("AAAA", "cannot be unpacked"),
    ],
)
def test_bits_that_cannot_be_a_sample_leave_the_flag_out(bitset: str, reason: str) -> None:
    imported = read(bitsets=[{"segment": "segments/s", "gzippedBitset": bitset}])
    assert imported.flags == []
    assert reason in said(imported)
