"""The resolver in Confidence's own provider and Allotment read one state, and no unit differs."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from allotment.importers import confidence, confidence_state
from allotment.model.assignment import Resolution
from allotment.model.flag import CLIENT_DEFAULT
from confidencestate import encode, packed
from peers import CALLERS, UNITS, Person, asked_of, differences, ours, people

SDK = ("confidence-openfeature-provider==0.15.3",)
FLAGS = [f"flag-{number}" for number in range(12)]
SEGMENTS = [f"seg{number:x}ment" for number in range(14)]
MILLION = 1_000_000
KEY_BYTES_MAX = 100  # the resolver refuses longer keys
# Nothing compares text with numbers, over which the resolver fails; a note says so.
CRITERIA: tuple[tuple[str, dict[str, Any]], ...] = (
    ("country", {"eqRule": {"value": {"stringValue": "SE"}}}),
    ("country", {"eqRule": {"value": {"stringValue": "7"}}}),
    ("country", {"setRule": {"values": [{"stringValue": "NO"}, {"stringValue": ""}]}}),
    ("country", {"setRule": {"values": [{"stringValue": "SE"}, {"numberValue": 7}]}}),
    ("country", {"setRule": {"values": []}}),
    ("country", {"startsWithRule": {"value": "Å"}}),
    ("country", {"endsWithRule": {"value": ""}}),
    ("size", {"rangeRule": {"startInclusive": {"numberValue": 5}}}),
    ("size", {"rangeRule": {
        "startExclusive": {"numberValue": -3}, "endInclusive": {"numberValue": 18.5},
    }}),
    ("size", {"rangeRule": {"endExclusive": {"numberValue": 64}}}),
    ("size", {"eqRule": {"value": {"numberValue": 18}}}),
    ("size", {"eqRule": {"value": {"stringValue": "1000000000000000000000"}}}),
    ("beta", {"eqRule": {"value": {"boolValue": True}}}),
    ("beta", {"eqRule": {"value": {"boolValue": False}}}),
    ("user.plan", {"eqRule": {"value": {"stringValue": "pro"}}}),
    ("email", {"containsRule": {"value": "ö@"}}),
    ("tags", {"anyRule": {"rule": {"eqRule": {"value": {"stringValue": "a"}}}}}),
    ("tags", {"anyRule": {"rule": {"setRule": {
        "values": [{"stringValue": "3"}, {"stringValue": "b"}],
    }}}}),
    ("tags", {"startsWithRule": {"value": "b"}}),
)  # fmt: skip


def known_to_confidence(draw: random.Random, unit: str, given: dict[str, Any]) -> Person:
    """Attributes of which those that are compared with numbers are numbers."""
    attributes = {name: value for name, value in given.items() if name != "plan"}
    if draw.random() < 0.8:
        attributes["size"] = draw.choice([0, 5, 18, 18.5, -3, 64.5, 1e21, True, None])
    if draw.random() < 0.3:
        attributes["beta"] = draw.choice(["true", "TRUE", "false", "yes", 1, {"x": 1}])
    attributes["user"] = {"plan": given.get("plan")}
    return unit, {**attributes, "visitor_id": unit}


def expression(draw: random.Random, names: Sequence[str], depth: int = 2) -> dict[str, Any]:
    word = draw.choice(["ref", "not", "and", "or"]) if depth else "ref"
    if word == "ref":
        return {"ref": draw.choice(names)}
    if word == "not":
        return {"not": expression(draw, names, depth - 1)}
    some = [expression(draw, names, depth - 1) for _ in range(draw.randint(0, 3))]
    return {word: {"operands": some}}


def segment(draw: random.Random, name: str, whole: Sequence[str]) -> dict[str, Any]:
    """A segment; it may ask for those before it that have all buckets."""
    made: dict[str, Any] = {"name": f"segments/{name}", "displayName": name}
    if draw.random() < 0.3:
        return made
    criteria: list[dict[str, Any]] = [
        {"attribute": {"attributeName": attribute, **rule}}
        for attribute, rule in draw.sample(CRITERIA, 3)
    ]
    if whole and draw.random() < 0.5:
        criteria[0] = {"segment": {"segment": f"segments/{draw.choice(whole)}"}}
    listed = [{"key": f"c{at}", "value": each} for at, each in enumerate(criteria)]
    names = [each["key"] for each in listed]
    return {**made, "targeting": {"criteria": listed, "expression": expression(draw, names)}}


def bits(draw: random.Random) -> bytes:
    """A thousand runs of buckets and a few more; sometimes the last ones are cut off."""
    edges = sorted(draw.sample(range(MILLION), 2 * 1_020))
    flags = np.zeros(MILLION, np.uint8)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        flags[start:stop] = 1
    whole = np.packbits(flags, bitorder="little").tobytes()
    return whole[: draw.choice([len(whole), 100_000])]


def rule(
    draw: random.Random, flag: str, at: int, selector: str, segments: Sequence[str]
) -> dict[str, Any]:
    count = draw.choice([1, 2, 10, 1_000, 10_000])
    edges = sorted({0, count, *(draw.randint(0, count) for _ in range(4))})
    kinds: list[dict[str, Any]] = [
        {"variant": {"variant": f"flags/{flag}/variants/{name}"}} for name in ("on", "off", "none")
    ]
    kinds += [{"fallthrough": {}}, {"clientDefault": {}}, {}]
    assignments = [
        {
            "assignmentId": f"a{number}",
            **draw.choice(kinds),
            "bucketRanges": [{"lower": start, "upper": stop + draw.choice([0, 0, 3])}],
        }
        for number, (start, stop) in enumerate(pairwise(edges))
    ]
    return {
        "name": f"flags/{flag}/rules/r{at}",
        "segment": f"segments/{draw.choice(segments)}",
        "enabled": draw.random() < 0.9,
        "targetingKeySelector": selector,
        "assignmentSpec": {"bucketCount": count, "assignments": assignments},
    }


def state(draw: random.Random) -> bytes:
    whole: list[str] = []
    segments, bitsets = [], []
    for name in SEGMENTS:
        segments.append(segment(draw, name, whole))
        if draw.random() < 0.5:
            bitsets.append({"segment": f"segments/{name}", "gzippedBitset": packed(bits(draw))})
        else:
            whole.append(name)
            bitsets.append({"segment": f"segments/{name}", "fullBitset": True})
    schema = {"schema": [{"key": "color", "value": {"stringSchema": {}}}, {"key": "on"}]}
    flags = []
    for key in FLAGS:
        selector = draw.choice(["", "targeting_key", "visitor_id"])
        # Buckets of the account are dealt to one kind of unit.
        own = whole if selector == "visitor_id" else SEGMENTS
        variants = [
            {"name": f"flags/{key}/variants/on", "value": {"on": True, "size": 1.5, "of": [1]}},
            {"name": f"flags/{key}/variants/off", "value": {"on": False, "color": None}},
            {"name": f"flags/{key}/variants/none"},
        ]
        flags.append(
            {
                "name": f"flags/{key}",
                "schema": schema if draw.random() < 0.5 else {},
                "state": 1,
                "variants": variants,
                "clients": ["clients/one"],
                "rules": [rule(draw, key, at, selector, own) for at in range(draw.randint(1, 5))],
            }
        )
    return encode(
        f"åccount-{draw.getrandbits(40):x}",
        flags=flags,
        segmentsNoBitsets=segments,
        bitsets=bitsets,
        clients=[{"name": "clients/one"}],
    )


def shown(resolved: Resolution) -> Any:
    if resolved.variation == CLIENT_DEFAULT:
        return CALLERS
    return json.dumps([resolved.variation, resolved.value], sort_keys=True)


def whole(value: Any) -> Any:
    """Numbers are doubles there; those that are whole are whole here."""
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_no_unit_differs(seed: int) -> None:
    draw = random.Random(f"confidence {seed}")
    units = [
        known_to_confidence(draw, unit, attributes)
        for unit, attributes in people(draw, UNITS * 2)
        if len(unit.encode()) <= KEY_BYTES_MAX
    ][:UNITS]
    made = state(draw)
    imported = confidence.read(confidence_state.decode(made))
    assert {flag.key for flag in imported.flags} == set(FLAGS), imported.notes
    payload = base64.b64encode(made).decode()
    answers = asked_of(SDK, "confidence_probe.py", payload, FLAGS, units)
    theirs = [
        [one if one == CALLERS else json.dumps(whole(one), sort_keys=True) for one in each]
        for each in answers
    ]
    mine = ours(imported, FLAGS, units, "user", "visitor_id", shown=shown)
    assert differences(FLAGS, units, theirs, mine) == []
    varied = [len({each[at] for each in theirs}) > 1 for at in range(len(FLAGS))]
    assert sum(varied) >= len(FLAGS) * 2 // 3
