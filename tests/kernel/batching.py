"""What the single call says of a plan, and what the batch says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from allotment.kernel.assigner import Assigner
from allotment.kernel.batch import assign_columns
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment
from kernel.making import CLAUSE, assigner, make_plan, program

Outcome = tuple[int, int]  # reason code, treatment index or -1

NO_UNIT, NOT_IN_AUDIENCE, ALLOCATED = 1, 9, 11


def clause(bit: int, holds: Callable[[object], bool]) -> Callable[[object], bytes]:
    """A field's decision with one clause of its own."""
    return lambda value: (int(holds(value)) << bit).to_bytes(8, "little")


def segment_where(path: tuple[str, ...], holds: Callable[[object], bool]) -> Segment:
    return Segment(program((CLAUSE, 0)), [(path, clause(0, holds))], [], 1, 0)


def in_sweden(value: object) -> bool:
    return type(value) is str and value == "SE"


SWEDES = segment_where(("country",), in_sweden)


def plan_of(**changes: object) -> Plan:
    """A running experiment of two treatments for everyone, whose answers are its outcomes."""
    return make_plan(answer=lambda source, reason, treatment: (reason, treatment), **changes)


def singly(
    plan: Plan,
    units: Sequence[object],
    attributes: Sequence[Mapping[str, object] | None] | None = None,
    stored: Sequence[int] | None = None,
) -> list[Outcome]:
    """The outcomes by one call a unit."""
    engine: Assigner = assigner({"e": plan})
    rows = attributes if attributes is not None else [None] * len(units)
    kept = [None if k < 0 else plan.names[k] for k in stored or [-1] * len(units)]
    return [
        engine.assign("e", unit, row, keep)  # type: ignore[arg-type, misc]
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
