"""Allocations: the weights of treatments for one segment, in the file and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from allotment.dialects.catalogfile.advice import quoted
from allotment.dialects.catalogfile.cursor import Cursor, Readers, Tree
from allotment.errors import InvalidInput
from allotment.model.experiment import Allocation
from allotment.model.limits import WHOLE_MAX
from allotment.model.number import read_weight, to_parts
from allotment.model.slots import Slot, Slots
from allotment.model.text import is_key

_FIELDS: Final = (
    "key",
    "segment",
    "fallback",
    "priority",
    "weights",
    "gap",
    "excess",
    "of",
    "slots",
)
_ALLOCATIONS: Final = "a list of allocations, such as [{weights: {control: 50, blue: 50}}],"
_WEIGHTS: Final = "a mapping of treatments to weights, such as {control: 50, blue: 50},"
_TOTAL: Final = 100
_PARTS: Final = (("gap", 0), ("excess", 0), ("of", _TOTAL))


def read_allocations(place: Cursor) -> tuple[Allocation, ...]:
    """The allocations in the list at `place`, asked in its order unless they say otherwise."""
    allocations: list[Allocation] = []
    position = 0
    for item in place.required(_ALLOCATIONS).items():
        fallback = item.fields(_FIELDS).at("fallback").truth(False)
        position += not fallback
        allocation = _read_allocation(item, fallback, position)
        if fallback and any(other.fallback for other in allocations):
            raise item.at("fallback").refusal(
                "there is at most one fallback; give this one a segment, or take it out"
            )
        if any(allocation.key == other.key for other in allocations):
            raise item.refusal(
                f"two allocations have the key {quoted(allocation.key)}; "
                "give one of them another `key`"
            )
        allocations.append(allocation)
    return tuple(allocations)


def show_allocations(allocations: tuple[Allocation, ...]) -> Tree:
    """The allocations as the file spells them."""
    shown: list[Tree] = []
    position = 0
    for allocation in allocations:
        position += not allocation.fallback
        shown.append(_show_allocation(allocation, position))
    return shown


def _read_allocation(place: Cursor, fallback: bool, position: int) -> Allocation:
    said = place.given_of(_READERS)
    segment = said.pop("segment", None)
    priority = 0 if fallback else position
    weights, total = _read_weights(place)
    return Allocation(
        key=said.pop("key", None) or _usual_key(segment, fallback),
        weights=weights,
        total=total,
        segment=segment,
        priority=said.pop("priority", priority),
        fallback=fallback,
        **said,
    )


def _show_allocation(allocation: Allocation, position: int) -> Tree:
    shown: dict[str, Tree] = {}
    if allocation.key != _usual_key(allocation.segment, allocation.fallback):
        shown["key"] = allocation.key
    if allocation.segment is not None:
        shown["segment"] = allocation.segment
    if allocation.fallback:
        shown["fallback"] = True
    elif allocation.priority != position:
        shown["priority"] = allocation.priority
    shown["weights"] = dict(allocation.weights)
    gap = allocation.total - sum(parts for _, parts in allocation.weights)
    if gap:
        shown["gap" if gap > 0 else "excess"] = abs(gap)
    if allocation.total != _TOTAL:
        shown["of"] = allocation.total
    if allocation.slots:
        shown["slots"] = [list(slot) for slot in allocation.slots]
    return shown


def _usual_key(segment: str | None, fallback: bool) -> str:
    return segment or ("fallback" if fallback else "everyone")


def _read_weights(place: Cursor) -> tuple[tuple[tuple[str, int], ...], int]:
    """The weights as integer parts of an integer total.

    They have to sum to the total, so that a slip is not taken for a gap: a gap is said, and so is
    an excess, which a draft may have.
    """
    given = place.at("weights").required(_WEIGHTS).entries()
    weights = [_read_number(weight) for _, weight in given]
    gap, excess, of = (_read_part(place, *each) for each in _PARTS)
    if gap and excess:
        raise place.at("excess").refusal("weights leave a gap or have an excess, not both")
    (*parts, rest, above), total = to_parts([*weights, gap, excess], of)
    if not 1 <= total <= WHOLE_MAX:
        message = (
            f"weights are parts of a total above 0, which in whole parts is up to {WHOLE_MAX:,}"
        )
        raise place.at("of").refusal(message)
    if sum(parts) + rest - above != total:
        raise _wrong_sum(place, sum(map(Decimal, weights)), Decimal(gap - excess), Decimal(of))
    return tuple((key, part) for (key, _), part in zip(given, parts, strict=True)), total


def _read_slots(place: Cursor) -> Slots:
    try:
        slots = msgspec.convert(place.value, Slots)
    except msgspec.ValidationError:
        slots = ()
    if slots and all(is_key(slot.owner) and min(slot[:2]) >= 0 for slot in slots):
        return slots
    return tuple([_read_slot(slot) for slot in place.items()])  # or it says what is wrong


def _read_priority(place: Cursor) -> int:
    return place.whole(1)


_READERS: Final[Readers] = {
    "key": ("key", Cursor.key),
    "segment": ("segment", Cursor.key),
    "priority": ("priority", _read_priority),
    "slots": ("slots", _read_slots),
}


def _wrong_sum(place: Cursor, weights: Decimal | int, gap: Decimal, total: Decimal) -> InvalidInput:
    """The error that says by how much the sum is off, and the ways to mend it.

    An excess is a gap below zero.
    """
    said = f"the weights sum to {_shown(weights)}"
    if gap:
        said += f" and the {'gap' if gap > 0 else 'excess'} to {_shown(abs(gap))}"
    off = total - weights - gap
    if gap < 0:
        above = _shown(weights - total)
        ways = f"say `excess: {above}`" if weights > total else "drop the excess"
    elif off > 0:
        ways = f"add {_shown(off)} to them, or say `gap: {_shown(gap + off)}` for units that get "
        ways += "nothing"
        if not gap:
            ways += f", or `of: {_shown(weights)}` where they are parts of that"
    else:
        ways = f"take {_shown(-off)} from them, or say `of: {_shown(weights + gap)}`"
    return place.at("weights").refusal(f"{said}, not to {_shown(total)}: {ways}")


def _shown(number: Decimal | int) -> str:
    return f"{Decimal(number).normalize():f}"


def _read_part(place: Cursor, field: str, usual: int) -> Decimal | int:
    said = place.at(field)
    return _read_number(said) if said.given else usual


def _read_number(place: Cursor) -> Decimal | int:
    if isinstance(place.value, int) and not isinstance(place.value, bool) and place.value > 0:
        return place.value  # an exported part may have more digits than one by hand
    if isinstance(place.value, str):
        raise place.wrong("a number, 0 or more")
    return read_weight(place.value, place.path)


def _read_slot(place: Cursor) -> Slot:
    items = place.items()
    if len(items) != 3:
        raise place.wrong("[start, stop, treatment]")
    start, stop, treatment = items
    return Slot(start.whole(0, WHOLE_MAX), stop.whole(0, WHOLE_MAX), treatment.key())
