"""Small plans and segments for the tests of the kernel."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from allotment.kernel.assigner import Assigner
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment

CLAUSE, LIST, AND, OR, NOT, STORE, LOAD = range(7)
HALVES = [(0, 500_000, 0), (500_000, 1_000_000, 1)]


def program(*instructions: tuple[int, int]) -> bytes:
    """The bytes of (operation, operand) pairs."""
    return b"".join(struct.pack("<I", op << 24 | operand) for op, operand in instructions)


def one_of(*values: object, bit: int = 0, words: int = 1) -> Callable[[object], bytes]:
    """A decision: `bit` holds for the values, told apart by type as well."""
    wanted = {(type(value), value) for value in values}

    def decide(value: object) -> bytes:
        known = isinstance(value, str | int | float)
        holds = known and (type(value), value) in wanted
        return (holds << bit).to_bytes(8 * words, "little")

    return decide


def segment_in(name: str, *values: object) -> Segment:
    """The units whose attribute is one of the values."""
    return Segment(program((CLAUSE, 0)), [((name,), one_of(*values))], [], 1, 0)


def answer(source: object, reason: int, treatment: int) -> tuple[object, int, int]:
    return source, reason, treatment


def make_plan(**changes: Any) -> Plan:
    """A running plan that gives everyone a or b, with changes."""
    usual: dict[str, Any] = {
        "state": 0,
        "treatments": ("a", "b"),
        "unit": "user",
        "overrides": None,
        "claims": None,
        "holdout": None,
        "layer": None,
        "keeps": False,
        "ignore_targeting": False,
        "segments": (),
        "audience": -1,
        "enrolment": None,
        "treatment": "s/treatment",
        "allocations": [(-1, HALVES)],
        "fallback": None,
        "source": "source",
        "answer": answer,
    }
    return Plan(**{**usual, **changes})


def keyed(plans: Mapping[str, Plan]) -> SimpleNamespace:
    """Plans in shards, as a snapshot holds them."""
    shards: tuple[dict[str, Plan], ...] = tuple({} for _ in range(256))
    for key, plan in plans.items():
        shards[hash(key) & 255][key] = plan
    return SimpleNamespace(shards=shards)


def assigner(plans: Mapping[str, Plan]) -> Assigner:
    made = Assigner(lambda experiment: (experiment, 0, -1))
    made.publish_plans(keyed(plans))
    return made


def outcome(plan: Plan, unit: Any, attributes: Any = None, stored: Any = None) -> tuple[int, int]:
    """(reason, treatment) of one unit under one plan."""
    found: Any = assigner({"it": plan}).assign("it", unit, attributes, stored)
    return found[1], found[2]


def units(count: int) -> Sequence[str]:
    return [f"unit-{i}" for i in range(count)]
