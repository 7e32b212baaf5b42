"""GrowthBook's own SDK and Allotment read one payload, and no unit differs."""

from __future__ import annotations

import random
from typing import Any

from allotment.importers import growthbook
from peers import CALLERS, asked_of, differences, ours, people

SDK = ("growthbook==4.0.0",)
FLAGS = [f"flag-{number}" for number in range(16)]
VALUES = ("off", "a", "b", 3, 2.5, {"x": [1]}, ["y"], False)
# Only "tags" is ever a list, and only $in and $nin ask for it; on others there is a note.
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"country": "SE"},
    {"country": {"$ne": "SE"}},
    {"plan": {"$in": ["pro", "enterprise"]}},
    {"tags": {"$in": ["b", 3]}},
    {"tags": {"$nin": ["a"]}},
    {"age": {"$gte": 18, "$lt": 64}},
    {"age": 18, "beta": True},
    {"beta": {"$exists": False}},
    {"country": {"$not": {"$in": ["SE", 7]}}},
    {"email": {"$regex": "^a@.*com"}},
    {"email": {"$notRegex": "org"}},
    {"email": None},
    {"$or": [{"plan": "free"}, {"country": "Åland"}]},
    {"$nor": [{"plan": "free"}, {"age": {"$lte": 17}}]},
    {"$not": {"$and": [{"plan": "pro"}, {"beta": True}]}},
    {"country": {"$inGroup": "nordic"}},
    {"plan": {"$notInGroup": "paid"}},
)


def rule(draw: random.Random, at: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if draw.random() < 0.5:
        made["condition"] = draw.choice(CONDITIONS)
    if draw.random() < 0.5:
        made["seed"] = draw.choice(["", "seed", "sëed", f"{draw.getrandbits(64):x}"])
    if draw.random() < 0.7:
        made["hashVersion"] = draw.choice([1, 2])
    if draw.random() < 0.5:
        made["coverage"] = draw.choice([0.001, 0.1, 0.5, 1, round(draw.random(), 4)])
    if draw.random() < 0.3:
        return {**made, "force": draw.choice(VALUES[1:])}
    return made | experiment(draw, at)


def experiment(draw: random.Random, at: int) -> dict[str, Any]:
    count = draw.randint(2, 4)
    made: dict[str, Any] = {"key": f"experiment-{at}", "variations": draw.sample(VALUES, count)}
    if draw.random() < 0.5:
        parts = [draw.random() for _ in range(count)]
        made["weights"] = [round(part / sum(parts), draw.choice([2, 4, 16])) for part in parts]
    elif draw.random() < 0.3:
        made["ranges"] = [sorted([draw.random(), draw.random()]) for _ in range(count)]
    if draw.random() < 0.2:
        made["meta"] = [{"key": str(index), "passthrough": index == 0} for index in range(count)]
    # Each flag has its own part of a namespace, as experiments of one layer do.
    if draw.random() < 0.5:
        made["namespace"] = ["pages", at / 100, at / 100 + 0.01 * draw.random()]
    elif draw.random() < 0.4:
        made["filters"] = [{"seed": "lâyer", "ranges": [[at / 100, (at + 1) / 100]]}]
    return made


def payload(draw: random.Random) -> dict[str, Any]:
    numbers = iter(range(100))
    features: dict[str, Any] = {
        key: {
            "defaultValue": draw.choice([None, "off", True]),
            "rules": [rule(draw, next(numbers)) for _ in range(draw.randint(1, 6))],
        }
        for key in FLAGS
    }
    return {"features": features, "savedGroups": {"nordic": ["SE", "NO"], "paid": ["pro"]}}


def test_no_unit_differs(seed: int) -> None:
    draw = random.Random(f"growthbook {seed}")
    units = people(draw)
    made = payload(draw)
    imported = growthbook.read(made)
    assert {flag.key for flag in imported.flags} == set(FLAGS), imported.notes
    theirs = asked_of(SDK, "growthbook_probe.py", made, FLAGS, units)
    assert differences(FLAGS, units, theirs, ours(imported, FLAGS, units, "id")) == []
    assert CALLERS in {str(each) for answers in theirs for each in answers}
    varied = [len({str(each[at]) for each in theirs}) > 1 for at in range(len(FLAGS))]
    assert sum(varied) >= len(FLAGS) * 2 // 3
