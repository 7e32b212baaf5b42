"""Eppo's own SDK and Allotment read one configuration, and no unit differs."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from allotment.importers import eppo
from peers import Person, asked_of, differences, ours, people

SDK = ("eppo-server-sdk==4.4.1",)
FLAGS = [f"flag-{number}" for number in range(12)]
VERSIONS = ["1.2.3", "1.10.0", "2.0.0-rc.1", "2.0.0", "2.0", "v3.0.0", None]


def test_no_unit_differs(seed: int) -> None:
    dice = random.Random(f"eppo {seed}")
    units = [_known_to_eppo(dice, person) for person in people(dice)]
    keys = [unit for unit, _ in units]
    payload = {
        "createdAt": "2026-01-02T03:04:05.678Z",
        "format": "SERVER",
        "environment": {"name": "Test"},
        "flags": {key: _flag(dice, key, keys) for key in FLAGS},
    }
    imported = eppo.read(payload)
    assert [note for note in imported.notes if "left out" in note.message] == []
    theirs = asked_of(SDK, "eppo_probe.py", payload, FLAGS, units)
    assert differences(FLAGS, units, theirs, ours(imported, FLAGS, units)) == []
    assert all(len({each[at] for each in theirs}) > 1 for at in range(len(FLAGS)))


def _known_to_eppo(dice: random.Random, person: Person) -> Person:
    """No lists, which Eppo has not, and no number in text, which it compares as a number."""
    unit, attributes = person
    known = {name: value for name, value in attributes.items() if name != "tags"}
    if known.get("age") == "18":
        known["age"] = dice.choice([-3, 1e21, None])
    if dice.random() < 0.8:
        known["version"] = dice.choice(VERSIONS)
    if dice.random() < 0.1:
        known["id"] = dice.choice(["user-1", "other"])
    return unit, known


def _flag(dice: random.Random, key: str, keys: list[str]) -> dict[str, Any]:
    names = ["control", "a", "b", "c"][: dice.randint(2, 4)]
    allocations = [_allocation(dice, key, f"{n}", names, keys) for n in range(dice.randint(1, 4))]
    return {
        "key": key,
        "enabled": True,
        "variationType": "STRING",
        "variations": {name: {"key": name, "value": name} for name in names},
        "allocations": allocations,
        "totalShards": 10_000,
    }


def _allocation(
    dice: random.Random, flag: str, key: str, names: list[str], keys: list[str]
) -> dict[str, Any]:
    traffic = {
        "salt": f"{flag}-{key}-träffic",
        "ranges": [{"start": 0, "end": dice.randint(3_000, 10_000)}],
    }
    if dice.random() < 0.3:
        traffic["salt"] = f"{flag}-{key}-traffic"
        traffic["ranges"] = [{"start": 1_000, "end": 4_000}, {"start": 5_000, "end": 9_000}]
    edges = [0, *sorted(dice.sample(range(1, 10_000), len(names) - 1)), 10_000]
    splits = [
        {
            "variationKey": name,
            "shards": [
                traffic,
                {"salt": f"{flag}-{key}-split", "ranges": [{"start": start, "end": stop}]},
            ],
        }
        for name, (start, stop) in zip(names, pairwise(edges), strict=True)
    ]
    if dice.random() < 0.2:
        splits = [
            {
                "variationKey": name,
                "shards": [{"salt": f"{flag}-{name}", "ranges": [{"start": 0, "end": 3_000}]}],
            }
            for name in names
        ]
    rules = [
        {"conditions": [_condition(dice, keys) for _ in range(dice.randint(1, 2))]}
        for _ in range(dice.randint(0, 3))
    ]
    return {"key": key, "rules": rules, "splits": splits, "doLog": True}


def _condition(dice: random.Random, keys: list[str]) -> dict[str, Any]:
    attribute, operator, value = dice.choice(
        [
            ("country", "ONE_OF", ["SE", "7", "Åland"]),
            ("country", "NOT_ONE_OF", ["SE", "NO"]),
            ("country", "IS_NULL", dice.random() < 0.5),
            ("age", "GTE", 18),
            ("age", "LT", 18.5),
            ("age", "GT", "17"),
            ("age", "LTE", 65),
            ("age", "ONE_OF", ["18", "18.5", "1000000000000000000000", "-3"]),
            ("beta", "ONE_OF", ["true"]),
            ("beta", "MATCHES", "^t"),
            ("beta", "NOT_MATCHES", "^t"),
            ("country", "NOT_ONE_OF", ["7", ""]),
            ("age", "NOT_ONE_OF", ["true", "64"]),
            ("version", "GTE", "1.10.0"),
            ("version", "LT", "2.0.0"),
            ("email", "MATCHES", r"@example\.com$"),
            ("email", "NOT_MATCHES", r"^[a-z]+@example\.(com|org)$"),
            ("id", "ONE_OF", [*dice.sample(keys, 4_000), "user-1"]),
            ("id", "NOT_ONE_OF", [*dice.sample(keys, 4_000), "other"]),
        ]
    )
    return {"attribute": attribute, "operator": operator, "value": value}
