"""Statsig's own SDK and Allotment read one payload, and no unit differs."""

from __future__ import annotations

import random
from typing import Any

from allotment.importers import statsig
from peers import Person, asked_of, differences, ours, people

SDK = ("statsig==0.72.1",)
GATES = [f"gate-{number}" for number in range(8)]
CONFIGS = [f"config-{number}" for number in range(8)]
# Each asks for values of the type that the attribute has: the importer notes that Statsig converts.
FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("country", "any", ["se", "åland".upper()[1:], "NO"]),
    ("country", "none", ["SE"]),
    ("plan", "any_case_sensitive", ["pro", "enterprise"]),
    ("plan", "none_case_sensitive", ["pro"]),
    ("plan", "str_contains_none", ["PR"]),
    ("plan", "eq", "pro"),
    ("email", "str_ends_with_any", ["@EXAMPLE.com"]),
    ("email", "str_starts_with_any", ["A@", "b"]),
    ("email", "str_contains_any", ["B@"]),
    ("email", "str_matches", "^a@.*com"),
    ("age", "gte", 18),
    ("age", "lt", 18.25),
    ("age", "neq", 64),
    ("beta", "eq", True),
)


def condition(draw: random.Random, gates: list[str]) -> dict[str, Any]:
    if gates and draw.random() < 0.2:
        kind = draw.choice(["pass_gate", "fail_gate"])
        return {"type": kind, "targetValue": draw.choice(gates)}
    if draw.random() < 0.2:
        return {"type": "public"}
    name, word, target = draw.choice(FIELDS)
    return {"type": "user_field", "field": name, "operator": word, "targetValue": target}


def bucket(salt: str, word: str, target: Any) -> dict[str, Any]:
    more = {"additionalValues": {"salt": salt}}
    return {"type": "user_bucket", "operator": word, "targetValue": target, **more}


def rule(draw: random.Random, *conditions: dict[str, Any], share: float) -> dict[str, Any]:
    value = {"returnValue": {"v": draw.randrange(5), "ö": ["x"]}, "id": f"{draw.getrandbits(40):x}"}
    salted = {"salt": draw.choice(["", "sält", f"{draw.getrandbits(64):x}"])}
    return {
        "name": "r", "conditions": conditions, "passPercentage": share, **value,
        **(salted if draw.random() < 0.7 else {}),
    }  # fmt: skip


def shares(draw: random.Random, gates: list[str]) -> list[dict[str, Any]]:
    """Rules by what is known of a user, each for a share."""
    found = []
    for _ in range(draw.randint(1, 4)):
        share = draw.choice([0, 100, 0.07, 33.33, 50, round(draw.uniform(0, 100), 2)])
        conditions = [condition(draw, gates) for _ in range(draw.randint(1, 2))]
        found.append(rule(draw, *conditions, share=share))
    return found


def groups(draw: random.Random, gates: list[str]) -> list[dict[str, Any]]:
    """An experiment: outside of its layer, then targeting, then groups."""
    salt = f"{draw.getrandbits(64):x}"
    inside = sorted(draw.sample(range(1_000), draw.randint(200, 900)))
    bounds = sorted(draw.sample(range(1, 1_000), 2))
    return [
        rule(draw, bucket("lâyer", "none", inside), share=100),
        rule(draw, condition(draw, gates), share=draw.choice([0, 100])),
        *(rule(draw, bucket(salt, "lt", bound), share=100) for bound in bounds),
        *([rule(draw, bucket(salt, "gte", 900), share=100)] if draw.random() < 0.5 else []),
    ]


def spec(name: str, rules: list[dict[str, Any]], default: Any, **fields: Any) -> dict[str, Any]:
    salt = {"name": name, "salt": f"{name}-sält", "type": "x", "enabled": name != "config-3"}
    return {**salt, "rules": rules, "defaultValue": default, **fields}


def payload(draw: random.Random) -> dict[str, Any]:
    inner = [rule(draw, condition(draw, []), share=share) for share in (0, 100, 100)]
    gates = [spec("segment:inner", inner, False)]
    gates += [spec(name, shares(draw, ["segment:inner"]), False) for name in GATES]
    configs = [
        spec(name, draw.choice([shares, groups])(draw, ["segment:inner"]), {"v": "default"})
        for name in CONFIGS
    ]
    return {
        "has_updates": True, "time": 1, "feature_gates": gates, "dynamic_configs": configs,
        "layer_configs": [], "layers": {}, "id_lists": {},
    }  # fmt: skip


def typed(units: list[Person]) -> list[Person]:
    """Text where text is compared and numbers where numbers are, as the importer asks for."""
    kinds = {"country": str, "age": (int, float)}
    return [
        (unit, {
            name: value for name, value in attributes.items()
            if isinstance(value, kinds.get(name, object)) and (name, value) not in
            {("age", True), ("country", "")}
        })
        for unit, attributes in units
    ]  # fmt: skip


def test_no_unit_differs(seed: int) -> None:
    draw = random.Random(f"statsig {seed}")
    units = [(unit, {n: v for n, v in has.items() if n != "tags"}) for unit, has in people(draw)]
    units = typed(units)
    made = payload(draw)
    imported = statsig.read(made)
    flags = [*GATES, *CONFIGS]
    assert [flag.key for flag in imported.flags] == flags, imported.notes
    theirs = asked_of(SDK, "statsig_probe.py", made, flags, units)
    assert differences(flags, units, theirs, ours(imported, flags, units, "userID")) == []
    varied = [len({str(each[at]) for each in theirs}) > 1 for at in range(len(flags))]
    assert sum(varied) >= len(flags) * 2 // 3
