"""flagd's own evaluators, of each hash, and Allotment read one file, and no unit differs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from allotment.importers import flagd
from peers import Person, asked_of, differences, ours, people

# What hashes in the first, the second and the third way.
SDKS = {
    1: ("openfeature-provider-flagd==0.2.2",),
    2: ("openfeature-flagd-core==1.0.0",),
    3: ("openfeature-flagd-core==2.0.0",),
}
FLAGS = [f"flag-{number}" for number in range(12)]
NAMES = ["a", "b", "c", "true", "false"]
COUNTRY, AGE, EMAIL = {"var": "country"}, {"var": "age"}, {"var": "email"}
VERSION, BETA, KEY = {"var": "version"}, {"var": "beta"}, {"var": "targetingKey"}


@pytest.mark.parametrize("version", SDKS)
def test_no_unit_differs(seed: int, version: int) -> None:
    draw = random.Random(f"flagd {version} {seed}")
    units = [_without_loose_text(draw, person) for person in people(draw)]
    ids = [unit for unit, _ in units]
    payload = {"flags": {key: _flag(draw, ids, version) for key in FLAGS}}
    if version > 1:
        payload["$evaluators"] = {"adult": {">=": [AGE, 18]}}
        payload["flags"]["flag-3"]["state"] = "DISABLED"
        del payload["flags"]["flag-4"]["defaultVariant"]
    imported = flagd.read(payload, version)
    assert [note for note in imported.notes if "left out" in note.message] == []
    theirs = asked_of(SDKS[version], "flagd_probe.py", payload, FLAGS, units)
    assert differences(FLAGS, units, theirs, ours(imported, FLAGS, units)) == []
    assert all(len({each[at] for each in theirs}) > 1 for at in (0, 1, 2, 5, 6, 7, 8))


def _without_loose_text(draw: random.Random, person: Person) -> Person:
    """No lists and no numbers in text, which JsonLogic compares as one value and as numbers."""
    unit, attributes = person
    known = {name: value for name, value in attributes.items() if name != "tags"}
    if known.get("age") == "18":
        known["age"] = "eighteen"
    if draw.random() < 0.8:
        known["version"] = draw.choice(["1.2.3", "1.10.0", "2.0.0-rc.1", "2.0.0", "no", ""])
    return unit, known


def _flag(draw: random.Random, ids: list[str], version: int) -> dict[str, Any]:
    return {
        "state": "ENABLED",
        "variants": {name: name for name in NAMES},
        "defaultVariant": draw.choice(NAMES),
        "targeting": {"if": _branches(draw, ids, version, 3)},
    }


def _branches(draw: random.Random, ids: list[str], version: int, depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(draw.randint(1, 3)):
        found += [_condition(draw, ids, version, 2), _leaf(draw, ids, version, depth - 1)]
    return found if draw.random() < 0.2 else [*found, _leaf(draw, ids, version, depth - 1)]


def _leaf(draw: random.Random, ids: list[str], version: int, depth: int) -> Any:
    kind = draw.random()
    if depth and kind < 0.3:
        return {"if": _branches(draw, ids, version, depth)}
    if kind < 0.8:
        return {"fractional": _fraction(draw, version)}
    return draw.choice([*NAMES, None])


def _fraction(draw: random.Random, version: int) -> list[Any]:
    salt = draw.choice([{"var": "$flagd.flagKey"}, "sält-"])
    by = draw.choice([[], [{"cat": [salt, KEY]}]])
    least = 1 if version == 1 else -5
    parts = [[name, draw.choice([1, 33, draw.randint(least, 1_000)])] for name in NAMES[:3]]
    return [*by, *parts, draw.choice([["a"], ["b", 7]])]


def _condition(draw: random.Random, ids: list[str], version: int, depth: int) -> Any:
    if depth and draw.random() < 0.4:
        inner = [_condition(draw, ids, version, depth - 1) for _ in range(2)]
        return draw.choice([{"and": inner}, {"or": inner}, {"!": inner[:1]}])
    conditions: list[Any] = [
        COUNTRY,
        BETA,
        {"==": [COUNTRY, "Åland"]},
        {"!=": [COUNTRY, "SE"]},
        {"===": [COUNTRY, 7]},
        {"in": [COUNTRY, ["SE", "NO", 7]]},
        {"==": [AGE, 18]},
        {"<": [AGE, 18]},
        {">=": [AGE, 18.5]},
        {"<=": [1, AGE, 18]},
        {">": [18, AGE]},
        {"===": [BETA, True]},
        {"==": [BETA, True]},
        {"!==": [EMAIL, None]},
        {"in": ["example.com", EMAIL]},
        {"starts_with": [EMAIL, "ö"]},
        {"ends_with": [EMAIL, ".org"]},
        {"in": [KEY, draw.sample(ids, 4_000)]},
        {"!=": [KEY, draw.choice(ids)]},
        {"sem_ver": [VERSION, ">=", "1.10.0"]},
        {"sem_ver": [VERSION, "!=", "1.2.3"]},
        {"sem_ver": [VERSION, draw.choice("^~"), "2.0.0"]},
    ]
    return draw.choice([*conditions, *([{"$ref": "adult"}] if version > 1 else [])])
