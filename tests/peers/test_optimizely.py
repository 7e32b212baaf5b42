"""Optimizely's own SDK and Allotment read one datafile, and no unit differs."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import count
from typing import Any

from allotment.importers import optimizely
from allotment.importers.optimizely_values import UNDECIDED
from allotment.model.assignment import Resolution
from peers import Person, asked_of, differences, ours, people, value_of

SDK = ("optimizely-sdk==5.7.0",)
FLAGS = [f"flag-{number}" for number in range(14)]
ALONE = [f"alone-{number}" for number in range(4)]
LEAVES: tuple[dict[str, Any], ...] = (
    {"name": "country", "match": "exact", "value": "SE"},
    {"name": "country", "match": "exact", "value": 7},
    {"name": "country", "match": "substring", "value": "E"},
    {"name": "country", "match": "substring", "value": ""},
    {"name": "age", "match": "gt", "value": 17},
    {"name": "age", "match": "ge", "value": 18.5},
    {"name": "age", "match": "lt", "value": 64},
    {"name": "age", "match": "le", "value": 18},
    {"name": "age", "match": "exact", "value": 18},
    {"name": "age", "match": "exact", "value": "18"},
    {"name": "age", "match": "gt", "value": "18"},
    {"name": "beta", "match": "exact", "value": True},
    {"name": "beta", "match": "exact", "value": 1},
    {"name": "beta", "match": "exists"},
    {"name": "beta", "match": "exists", "value": None},
    {"name": "plan", "value": "pro"},
    {"name": "email", "match": "substring", "value": "ö@"},
    {"name": "nothing", "match": "exact", "value": None},
)
DEALT = 10_000


class World:
    """A datafile that is being made."""

    def __init__(self, draw: random.Random, keys: Sequence[str]) -> None:
        self.draw = draw
        self.keys = keys
        self.numbers = count(1)
        self.audiences = [self._audience() for _ in range(10)]

    def id(self) -> str:
        return f"{next(self.numbers)}{self.draw.randrange(10**10)}"

    def _audience(self) -> dict[str, Any]:
        conditions = self._tree(2, self._leaf, implicit=0.2)
        return {"id": self.id(), "name": "some", "conditions": conditions}

    def _leaf(self) -> dict[str, Any]:
        return {"type": "custom_attribute", **self.draw.choice(LEAVES)}

    def _tree(self, depth: int, leaf: Any, implicit: float = 0) -> Any:
        """Conditions; "or" may be left out in audiences, but in rules the SDK fails over that."""
        if depth == 0:
            return leaf()
        word = self.draw.choice(["and", "or", "or", "not"])
        size = 1 if word == "not" else self.draw.randint(1, 3)
        below = [self._tree(depth - 1, leaf, implicit) for _ in range(size)]
        return below if word == "or" and self.draw.random() < implicit else [word, *below]

    def audience(self, chance: float) -> dict[str, Any]:
        def some() -> Any:
            return self.draw.choice(self.audiences)["id"]

        if self.draw.random() > chance:
            return {"audienceIds": []}
        if self.draw.random() < 0.5:
            return {"audienceIds": [some(), some()]}
        return {"audienceIds": [], "audienceConditions": self._tree(2, some)}

    def traffic(self, owners: Sequence[str], *, full: bool = False) -> list[dict[str, Any]]:
        """Buckets for some owners, with gaps in between, beneath or above."""
        ends = sorted(self.draw.sample(range(1, DEALT), len(owners)))
        if full or self.draw.random() < 0.3:
            ends[-1] = DEALT
        entities = [self.draw.choice([owner, owner, owner, ""]) for owner in owners]
        pairs = zip(owners if full else entities, ends, strict=True)
        return [{"entityId": entity, "endOfRange": end} for entity, end in pairs]

    def rule(self, key: str, variables: Sequence[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        variations = [
            {
                "id": self.id(),
                "key": self.draw.choice([name, f"{name}-{key}"]),
                "featureEnabled": self.draw.random() < 0.7,
                "variables": [
                    {"id": each["id"], "value": each["values"][index % 2]}
                    for each in variables
                    if self.draw.random() < 0.7
                ],
            }
            for index, name in enumerate(["control", "a", "b", "off"][: self.draw.randint(1, 4)])
        ]
        forced = {}
        if self.draw.random() < 0.4:
            named = self.draw.sample(self.keys, 300)
            forced = {user: self.draw.choice(variations)["key"] for user in named}
        return {
            "id": self.id(),
            "key": key,
            "layerId": self.id(),
            "status": self.draw.choice(["Running", "Running", "Running", "Paused"]),
            "variations": variations,
            "trafficAllocation": self.traffic([each["id"] for each in variations]),
            "forcedVariations": forced,
            **self.audience(0.6),
            **fields,
        }

    def holdout(self, key: str, **fields: Any) -> dict[str, Any]:
        off = self.id()
        return {
            "id": self.id(),
            "key": key,
            "status": self.draw.choice(["Running", "Running", "Draft"]),
            "variations": [{"id": off, "key": "ho_off", "featureEnabled": False, "variables": []}],
            "trafficAllocation": [{"entityId": off, "endOfRange": self.draw.randint(1, 1_500)}],
            **self.audience(0.5),
            **fields,
        }

    def flag(self, key: str) -> dict[str, Any]:
        """A flag, with what it refers to under names that begin with an underscore."""
        kinds = [
            ("string", ["x", "ÿ"]), ("integer", ["1", "-20"]), ("double", ["0.5", "5"]),
            ("boolean", ["true", "false"]), ("json", ['{"a": [1, null]}', "[]"]),
        ]  # fmt: skip
        variables = [
            {"id": self.id(), "key": f"v{at}", "type": kind, "values": values}
            for at, (kind, values) in enumerate(self.draw.sample(kinds, 3))
        ]
        names = [f"{key}_rule{at}" for at in range(self.draw.randint(0, 4))]
        tests = [
            self.rule(name, variables, type=self.draw.choice(["ab", "mab", "td", "fr"]))
            for name in names
        ]
        delivery = [
            self.rule(f"{key}_to{at}", variables, status="Not started", forcedVariations={})
            for at in range(self.draw.randint(1, 5))
        ]
        delivery[-1] |= {"audienceIds": [], "audienceConditions": None}
        return {
            "id": self.id(),
            "key": key,
            "experimentIds": [each["id"] for each in tests],
            "rolloutId": self.id() if self.draw.random() < 0.9 else "",
            "variables": variables,
            "_tests": tests,
            "_delivery": delivery,
        }


def datafile(draw: random.Random, keys: Sequence[str], **fields: Any) -> dict[str, Any]:
    world = World(draw, keys)
    flags = [world.flag(key) for key in FLAGS]
    experiments = [each for flag in flags for each in flag["_tests"]]
    experiments += [world.rule(key, [], type="ab") for key in ALONE]
    draw.shuffle(experiments)
    groups = []
    for policy in ("random", "random", "overlapping"):
        inside = [experiments.pop() for _ in range(4)]
        allocation = world.traffic([each["id"] for each in inside])
        group = {"id": world.id(), "policy": policy, "trafficAllocation": allocation}
        groups.append({**group, "experiments": inside})
    ruled = [each["id"] for flag in flags for each in (*flag["_tests"], *flag["_delivery"])]
    rollouts = [
        {"id": flag["rolloutId"], "experiments": flag["_delivery"]}
        for flag in flags
        if flag["rolloutId"]
    ]
    for flag in flags:
        del flag["_tests"], flag["_delivery"]
        for variable in flag["variables"]:
            variable["defaultValue"] = variable.pop("values")[0]
    spelled, typed = world.audiences[:5], world.audiences[5:]
    return {
        "version": "4",
        "accountId": "1",
        "projectId": "2",
        "revision": "3",
        "events": [],
        "attributes": [],
        "featureFlags": flags,
        "rollouts": rollouts,
        "experiments": experiments,
        "groups": groups,
        "audiences": [{**one, "conditions": json.dumps(one["conditions"])} for one in spelled],
        "typedAudiences": typed,
        "holdouts": [world.holdout("everywhere"), world.holdout("also")],
        "localHoldouts": [
            world.holdout(f"local{at}", includedRules=draw.sample(ruled, 5)) for at in range(3)
        ],
        **fields,
    }


def shown(resolved: Resolution) -> Any:
    """As the probe answers, as text in which 1, 1.0 and true differ."""
    if resolved.flag in ALONE:
        return json.dumps(value_of(resolved))
    variation = None if resolved.variation == UNDECIDED else resolved.variation.split(".")[-1]
    return json.dumps([variation, resolved.value], sort_keys=True)


def check(payload: dict[str, Any], units: list[Person]) -> None:
    imported = optimizely.read(payload)
    asked = [*FLAGS, *ALONE]
    assert {flag.key for flag in imported.flags} == set(asked), imported.notes
    answers = asked_of(SDK, "optimizely_probe.py", payload, asked, units)
    theirs = [[json.dumps(one, sort_keys=True) for one in each] for each in answers]
    assert differences(asked, units, theirs, ours(imported, asked, units, shown=shown)) == []
    varied = [len({each[at] for each in theirs}) > 1 for at in range(len(asked))]
    assert sum(varied) >= len(asked) * 2 // 3


def units_of(draw: random.Random) -> list[Person]:
    """People, some of whom have numbers at the end of what Optimizely takes for one."""
    found = people(draw)
    for _, attributes in found:
        if draw.random() < 0.1:
            attributes["age"] = draw.choice([2**53, 2**53 + 1, -(2**53) - 1, 1e300, -1e300])
    return found


def test_no_unit_differs(seed: int) -> None:
    draw = random.Random(f"optimizely {seed}")
    units = units_of(draw)
    check(datafile(draw, [unit for unit, _ in units]), units)


def test_no_unit_differs_where_a_holdout_passes_deliveries_over(seed: int) -> None:
    draw = random.Random(f"optimizely {seed} deliveries")
    units = units_of(draw)
    keys = [unit for unit, _ in units]
    passing = World(draw, keys).holdout("passing", excludeTargetedDeliveries=True)
    payload = datafile(draw, keys)
    payload["holdouts"].append(
        {**passing, "status": "Running", "audienceIds": [], "audienceConditions": None}
    )
    check(payload, units)
