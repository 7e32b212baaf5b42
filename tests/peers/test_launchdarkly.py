"""LaunchDarkly's own SDK and Allotment read one payload, and no unit differs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from allotment.importers import launchdarkly
from peers import asked_of, differences, ours, people

SDK = ("launchdarkly-server-sdk==9.18.2",)
FLAGS = [f"flag-{number}" for number in range(12)]
CLAUSES = (
    ("country", "in", ["SE", 7]),
    ("country", "startsWith", ["Å", ""]),
    ("plan", "in", ["pro", "enterprise"]),
    ("age", "in", [18, True]),
    ("age", "lessThan", [18, "x"]),
    ("age", "greaterThanOrEqual", [18]),
    ("email", "endsWith", ["@example.com"]),
    ("email", "contains", ["ö", "b@"]),
    ("email", "matches", ["^a@.*com", "org"]),
    ("tags", "in", ["b", 3]),
    ("beta", "in", [False]),
    ("anonymous", "in", [False]),
    ("", "segmentMatch", ["beta"]),
    ("", "segmentMatch", ["nordic", "beta"]),
)


def clause(draw: random.Random, choices: Sequence[Any] = CLAUSES) -> dict[str, Any]:
    attribute, op, values = draw.choice(choices)
    made = {"attribute": attribute, "op": op, "values": values, "negate": draw.random() < 0.3}
    return made if op == "segmentMatch" or draw.random() < 0.5 else {**made, "contextKind": "user"}


def rollout(draw: random.Random, variations: int) -> dict[str, Any]:
    """Weights that are whole, uneven, or that sum to less or more than all."""
    weights = [draw.choice([0, 1, 33_333, draw.randrange(60_000)]) for _ in range(variations)]
    made: dict[str, Any] = {
        "variations": [{"variation": i, "weight": weight} for i, weight in enumerate(weights)]
    }
    if draw.random() < 0.4:
        made |= {"kind": "experiment", "seed": draw.randrange(2**31), "bucketBy": "country"}
    return {"rollout": made}


def payload(draw: random.Random, ids: list[str]) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for number, key in enumerate(FLAGS):
        values = draw.choice([[False, True], ["a", "b", "c"], [1, 2.5, None, {"x": [1]}]])
        last = len(values) - 1
        rules = [
            {
                "clauses": [clause(draw) for _ in range(draw.randint(1, 3))],
                **draw.choice([{"variation": last}, rollout(draw, last + 1)]),
            }
            for _ in range(draw.randint(0, 4))
        ]
        flags[key] = {
            "key": key,
            "version": 1,
            "on": number != 3,
            "salt": draw.choice(["", "salt", "sält", f"{draw.getrandbits(128):032x}"]),
            "variations": values,
            **({} if number == 4 else {"offVariation": draw.randint(0, last)}),
            "targets": [
                {"variation": draw.randint(0, last), "values": draw.sample(ids, 300)}
                for _ in range(draw.randint(0, 2))
            ],
            "rules": rules,
            "fallthrough": draw.choice([{"variation": 0}, rollout(draw, last + 1)]),
        }
    named = {"included": draw.sample(ids, 500), "excluded": draw.sample(ids, 500)}
    key = {"attribute": "key", "op": "in", "values": draw.sample(ids, 500)}
    segments = {
        "beta": {"key": "beta", "version": 1, **named, "rules": [{"clauses": [key]}]},
        "nordic": {
            "key": "nordic",
            "version": 1,
            "rules": [
                {"clauses": [clause(draw, CLAUSES[:-1]) for _ in range(2)]},
                {"clauses": [key]},
            ],
        },
    }
    return {"flags": flags, "segments": segments}


def test_no_unit_differs(seed: int) -> None:
    draw = random.Random(f"launchdarkly {seed}")
    units = people(draw)
    made = payload(draw, [unit for unit, _ in units])
    imported = launchdarkly.read(made)
    assert imported.notes == []
    theirs = asked_of(SDK, "launchdarkly_probe.py", made, FLAGS, units)
    assert differences(FLAGS, units, theirs, ours(imported, FLAGS, units)) == []
    varied = [len({str(each[at]) for each in theirs}) > 1 for at in range(len(FLAGS))]
    assert sum(varied) >= len(FLAGS) // 2
