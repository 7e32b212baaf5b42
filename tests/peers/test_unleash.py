"""Unleash's own engine and Allotment read the same client features, and no unit differs."""

from __future__ import annotations

import random
from typing import Any

from allotment.importers import unleash
from peers import Person, asked_of, differences, ours, people

SDK = ("yggdrasil-engine==2.0.0",)
FLAGS = [f"flag-{number}" for number in range(12)]


def test_no_unit_differs(seed: int) -> None:
    draw = random.Random(f"unleash {seed}")
    units = [_as_context(draw, person) for person in people(draw)]
    # A listed value that ends with a backslash switches a feature off for everyone in this engine.
    ids = [unit for unit, _ in units if not unit.endswith("\\")]
    payload = {
        "version": 2,
        "features": [_feature(draw, key, ids) for key in FLAGS],
        "segments": [
            {"id": number, "constraints": [_constraint(draw, ids)]} for number in range(3)
        ],
    }
    payload["features"][3]["enabled"] = False
    imported = unleash.read(payload)
    assert [note for note in imported.notes if "left out" in note.message] == []
    theirs = asked_of(SDK, "unleash_probe.py", payload, FLAGS, units)
    mine = [[_name(answer) for answer in answers] for answers in ours(imported, FLAGS, units)]
    assert differences(FLAGS, units, theirs, mine) == []
    assert all(len({each[at] for each in theirs}) > 1 for at in (0, 1, 2, 4, 5, 6))


def _name(value: Any) -> Any:
    return {True: "enabled", False: "disabled"}.get(value, value)


def _as_context(draw: random.Random, person: Person) -> Person:
    """Texts and numbers, as Unleash's context has no other values; no number in text."""
    unit, attributes = person
    known = {
        name: value
        for name, value in attributes.items()
        if not isinstance(value, bool | list) and value != "18"
    }
    if draw.random() < 0.8:
        known["version"] = draw.choice(["1.2.3", "1.10.0", "2.0.0-rc.1", "2.0.0", "no", "2.0"])
    return unit, known


def _feature(draw: random.Random, key: str, ids: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": key, "type": "release", "enabled": True}
    made["strategies"] = [_strategy(draw, ids) for _ in range(draw.randint(0, 4))]
    if draw.random() < 0.6:
        made["variants"] = _variants(draw)
        if not any(one.get("variants") for one in made["strategies"]):
            first = {"contextName": "userId", "values": draw.sample(ids, 500)}
            second = {"contextName": "country", "values": ["Åland"]}
            made["variants"][-1]["overrides"] = [first]
            made["variants"][0]["overrides"] = [second]
    return made


def _variants(draw: random.Random) -> list[dict[str, Any]]:
    names = draw.sample(["a", "b", "c", "d"], draw.randint(2, 4))
    return [
        {
            "name": name,
            "weight": draw.choice([0, 1, 333, 500]) if index else 250,
            "stickiness": draw.choice(["default", "userId"]),
        }
        for index, name in enumerate(names)
    ]


def _strategy(draw: random.Random, ids: list[str]) -> dict[str, Any]:
    percent = str(draw.choice([0, 1, 33, 50, 100, draw.randint(2, 99)]))
    rollout: dict[str, Any] = {"rollout": percent, "stickiness": draw.choice(["default", "userId"])}
    if draw.random() < 0.8:
        rollout["groupId"] = draw.choice(["checkout", "grüppe", "flag-1"])
    made = draw.choice(
        [
            {"name": "default"},
            {"name": "userWithId", "parameters": {"userIds": "user-1, user-2,user-3"}},
            {
                "name": "gradualRolloutUserId",
                "parameters": {"percentage": percent, "groupId": "old"},
            },
            *[{"name": "flexibleRollout", "parameters": rollout}] * 4,
        ]
    )
    made["constraints"] = [_constraint(draw, ids) for _ in range(draw.randint(0, 2))]
    made["segments"] = draw.choice([[], [], [], [0], [1, 2]])
    if draw.random() < 0.3:
        made["variants"] = _variants(draw)
    return made


def _constraint(draw: random.Random, ids: list[str]) -> dict[str, Any]:
    name, operator, value = draw.choice(
        [
            ("country", "IN", ["SE", "7", "Åland"]),
            ("country", "NOT_IN", ["SE", "NO"]),
            ("plan", "STR_CONTAINS", ["r", "x"]),
            ("email", "STR_STARTS_WITH", ["ö", "a"]),
            ("email", "STR_ENDS_WITH", [".org"]),
            ("age", "NUM_EQ", "18"),
            ("age", "NUM_GT", "17.5"),
            ("age", "NUM_GTE", "18"),
            ("age", "NUM_LT", "18.5"),
            ("age", "NUM_LTE", "17"),
            ("version", "SEMVER_EQ", "1.10.0"),
            ("version", "SEMVER_GT", "1.2.3"),
            ("version", "SEMVER_LT", "2.0.0"),
            ("userId", "IN", draw.sample(ids, 4_000)),
            ("userId", "NOT_IN", draw.sample(ids, 4_000)),
        ]
    )
    made = {"contextName": name, "operator": operator, "inverted": draw.random() < 0.2}
    return {**made, "values" if isinstance(value, list) else "value": value}
