"""Plans made by hand, what the single call says of them, and what the batch says."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from allotment.kernel.assigner import Assigner
from allotment.kernel.batch import assign_columns
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment
from allotment.model.keyed import Keyed

Outcome = tuple[int, int]  # reason code, treatment index or -1
Field = tuple[tuple[str, ...], Callable[[object], bytes]]

CLAUSE, LIST, AND, OR, NOT = range(5)
NO_UNIT, NOT_IN_AUDIENCE, ALLOCATED = 1, 9, 11


def program(*instructions: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<I", op << 24 | operand) for op, operand in instructions)


def clause(bit: int, holds: Callable[[object], bool]) -> Callable[[object], bytes]:
    """A field's decision with one clause of its own."""
    return lambda value: (int(holds(value)) << bit).to_bytes(8, "little")


def segment_where(path: tuple[str, ...], holds: Callable[[object], bool]) -> Segment:
    return Segment(program((CLAUSE, 0)), [(path, clause(0, holds))], [], 1, 0)


def in_sweden(value: object) -> bool:
    return type(value) is str and value == "SE"


SWEDES = segment_where(("country",), in_sweden)
HALVES = ((0, 500_000, 0), (500_000, 1_000_000, 1))


def plan_of(**changes: object) -> Plan:
    """A running experiment of two treatments for everyone, with changes."""
    given: dict[str, object] = {
        "state": 0,
        "treatments": ("off", "on"),
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
        "treatment_salt": "e/treatment",
        "allocations": [(-1, HALVES)],
        "fallback": None,
        "source": None,
        "answer": lambda source, reason, treatment: (reason, treatment),
    }
    return Plan(**(given | changes))  # type: ignore[arg-type]


def singly(
    plan: Plan,
    units: Sequence[object],
    attributes: Sequence[Mapping[str, object] | None] | None = None,
    stored: Sequence[int] | None = None,
) -> list[Outcome]:
    """The outcomes by one call a unit."""
    assigner = Assigner(lambda experiment: None)
    assigner.publish_plans(Keyed({"e": plan}.items()))
    rows = attributes if attributes is not None else [None] * len(units)
    kept = [None if k < 0 else plan.names[k] for k in stored or [-1] * len(units)]
    return [
        assigner.assign("e", unit, row, keep)  # type: ignore[arg-type, misc]
        for unit, row, keep in zip(units, rows, kept, strict=True)
    ]


def batched(plan: Plan, units: object, *rest: object, threads: int = 1) -> list[Outcome]:
    """The outcomes by one call for all units."""
    attributes, stored = (*rest, None, None)[:2]
    [(codes, reasons)] = assign_columns([plan], units, attributes, stored, threads)
    assert (codes.dtype, reasons.dtype) == ("int16", "uint8")
    return list(zip(reasons.tolist(), codes.tolist(), strict=True))


class Stream:
    """Shows only the stream interface of what it holds."""

    def __init__(self, held: object) -> None:
        self.held = held

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.held.__arrow_c_stream__(requested_schema)  # type: ignore[attr-defined]
