"""The items of an experiment's allocations: each gives one variation to some devices.

By percentage, all items are one allocation, and each is a treatment with its weight. By segment,
each item is an allocation of its own, with one treatment that gets every device it matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, WithJsonSchema

from allotment.dialects.auth0.errors import OBSTACLES
from allotment.dialects.auth0.fields import SegmentId, ShownName, VariationId
from allotment.dialects.auth0.names import FIELDS, find, find_variation, id_of, shown_name
from allotment.dialects.wire.model import EXACT, LEFT_OUT, WHOLE, Body, Maybe, Model, Refusal
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.spelling import numbered
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.flag import Flag
from allotment.model.number import to_parts

Strategy = Literal["percentage", "segment"]

# Clients may read it as a 32-bit number.
Priority = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
Weight = Annotated[
    Decimal,
    Field(ge=0, le=100),
    EXACT,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]
Snapshot = Annotated[None, Field(description="Always null: none is taken.")]


class Auth0Item(Body):
    """One item of an experiment's allocations: a variation for some devices."""

    variation_id: VariationId
    is_control: bool
    weight: Maybe[Weight] = LEFT_OUT
    segment_id: Maybe[SegmentId] = LEFT_OUT
    priority: Maybe[Priority] = LEFT_OUT
    is_fallback: Maybe[bool] = LEFT_OUT


class Auth0ShownItem(Model):
    """One item as an answer shows it."""

    variation_id: Maybe[VariationId] = LEFT_OUT
    variation_name: Maybe[ShownName] = LEFT_OUT
    segment_id: Maybe[SegmentId] = LEFT_OUT
    segment_name: Maybe[ShownName] = LEFT_OUT
    weight: Maybe[int] = LEFT_OUT
    priority: Maybe[int] = LEFT_OUT
    is_fallback: Maybe[bool] = LEFT_OUT
    is_control: bool
    variation_snapshot: Snapshot
    segment_snapshot: Snapshot


_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Dealt:
    """What the items of a request are in the model.

    `controls` are the treatments that claim to be the control: a draft may have none, or several.
    `rank` is the priority that the request gives the fallback, which needs none.
    """

    treatments: tuple[Treatment, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    controls: tuple[str, ...] = ()
    rank: int | None = None

    @property
    def control(self) -> str | None:
        """The control, where one treatment claims to be it."""
        return self.controls[0] if len(self.controls) == 1 else None

    def kept(self, strategy: str) -> dict[str, Tree]:
        """What the model cannot say of the items."""
        return {
            STRATEGY: None if self.allocations else strategy,
            CONTROLS: [*self.controls] if len(self.controls) > 1 else None,
            RANK: self.rank,
        }


def read_items(
    items: Sequence[Auth0Item],
    strategy: str,
    flag: Flag,
    catalog: Catalog,
    old: Iteration | None,
) -> Dealt:
    """The items in the model.

    Treatments and allocations of the `old` iteration that an item matches keep their keys, so that
    units stay where they are.
    """
    treatments = _treatments(items, flag, old)
    marked = zip(items, treatments, strict=True)
    controls = tuple(treatment.key for item, treatment in marked if item.is_control)
    if strategy == "percentage":
        return Dealt(treatments, (_by_weight(items, treatments, old),), controls)
    allocations, rank = _by_segment(items, treatments, catalog, old)
    return Dealt(treatments, allocations, controls, rank)


def _treatments(
    items: Sequence[Auth0Item], flag: Flag, old: Iteration | None
) -> tuple[Treatment, ...]:
    """A treatment an item: the old one that sets its variation, where there is one left."""
    left = list(old.treatments) if old else []
    found: list[Treatment | str] = []
    for index, item in enumerate(items):
        variation = find_variation(flag, item.variation_id)
        if variation is None:
            code, message = OBSTACLES["foreign_variation"]
            raise Refusal(400, code, message, _at(index, "variation_id"))
        again = next((one for one in left if (flag.key, variation.key) in one.sets), None)
        if again is not None:
            left.remove(again)
        found.append(again or variation.key)
    keys = {one.key for one in found if isinstance(one, Treatment)}
    treatments: list[Treatment] = []
    for one in found:
        if isinstance(one, str):
            key = numbered(one, keys.__contains__)
            keys.add(key)
            treatments.append(Treatment(key, sets=((flag.key, one),)))
        else:
            treatments.append(one)
    return tuple(treatments)


def _by_weight(
    items: Sequence[Auth0Item], treatments: Sequence[Treatment], old: Iteration | None
) -> Allocation:
    for index, item in enumerate(items):
        for name, value in (("segment_id", item.segment_id), ("priority", item.priority)):
            if value is not None:
                raise _refusal(index, name, "this has no meaning in the percentage strategy")
        if item.is_fallback:
            raise _refusal(index, "is_fallback", "the percentage strategy has no fallback")
    weighted = [
        (treatment.key, item.weight)
        for item, treatment in zip(items, treatments, strict=True)
        if item.weight is not None
    ]
    parts, total = to_parts([weight for _, weight in weighted], _HUNDRED)
    shares = tuple((key, part) for (key, _), part in zip(weighted, parts, strict=True))
    everyone = (one.key for one in (old.allocations if old else ()) if one.segment is None)
    return Allocation(next(everyone, "everyone"), shares, total)


def _by_segment(
    items: Sequence[Auth0Item],
    treatments: Sequence[Treatment],
    catalog: Catalog,
    old: Iteration | None,
) -> tuple[tuple[Allocation, ...], int | None]:
    """An allocation an item, and the priority that was given to the fallback.

    An old allocation for the same segment lends its key.
    """
    segments = [_segment_of(index, item, catalog) for index, item in enumerate(items)]
    fallbacks = [index for index, segment in enumerate(segments) if segment is None]
    if len(fallbacks) > 1:
        raise _refusal(fallbacks[1], "is_fallback", "there is at most one fallback")
    priorities = _priorities([item.priority for item in items], segments)
    keys: set[str] = set()
    allocations: list[Allocation] = []
    for segment, priority, treatment in zip(segments, priorities, treatments, strict=True):
        again = next((key for key in _serving(segment, old) if key not in keys), None)
        key = again or numbered(segment or "fallback", keys.__contains__)
        keys.add(key)
        weights = ((treatment.key, 1),)
        allocations.append(Allocation(key, weights, 1, segment, priority, segment is None))
    return tuple(allocations), items[fallbacks[0]].priority if fallbacks else None


def _segment_of(index: int, item: Auth0Item, catalog: Catalog) -> str | None:
    """The key of the segment that an item is for; None where it is the fallback."""
    if item.weight is not None:
        raise _refusal(index, "weight", "this has no meaning in the segment strategy")
    if item.is_fallback:
        if item.segment_id is not None:
            message = "the fallback serves everyone; it has no segment"
            raise _refusal(index, "segment_id", message)
        return None
    if item.segment_id is None:
        message = "an allocation names a segment, or is the fallback"
        raise _refusal(index, "segment_id", message)
    segment = find("segment", catalog.segments, item.segment_id, catalog)
    if segment is None:
        raise Refusal(400, "segment_not_found", "Segment not found", _at(index, "segment_id"))
    return segment.key


def _priorities(asked: Sequence[int | None], segments: Sequence[str | None]) -> Iterator[int]:
    """Each item's priority: as given, else after all that are given, in the order of the items."""
    given: set[int] = set()
    for index, (priority, segment) in enumerate(zip(asked, segments, strict=True)):
        if segment is not None and priority is not None:
            if priority in given:
                raise _refusal(index, "priority", "another allocation has this priority")
            given.add(priority)
    free = max(given, default=0)
    for priority, segment in zip(asked, segments, strict=True):
        if segment is None:
            yield 0
        elif priority is not None:
            yield priority
        else:
            free += 1
            yield free


def _serving(segment: str | None, old: Iteration | None) -> Iterator[str]:
    """The keys of the old allocations for the segment; of the old fallback for None."""
    for one in old.allocations if old else ():
        if one.segment == segment and one.fallback is (segment is None):
            yield one.key


def _at(index: int, field: str) -> str:
    return f"$.allocations[{index}].{field}"


def _refusal(index: int, field: str, message: str) -> InvalidInput:
    return InvalidInput(message, _at(index, field))


STRATEGY: Final = "allocation_strategy"
CONTROLS: Final = "controls"
RANK: Final = "fallback_priority"


def shown_strategy(experiment: Experiment) -> Strategy:
    """By percentage where one allocation without a segment is all there is, else by segment."""
    allocations = experiment.current.allocations
    if not allocations:
        asked = FIELDS.kept(experiment, STRATEGY)
        return next((word for word in get_args(Strategy) if word == asked), "percentage")
    lone = len(allocations) == 1 and not allocations[0].segment and not allocations[0].fallback
    return "percentage" if lone else "segment"


def show_items(experiment: Experiment, catalog: Catalog) -> list[Auth0ShownItem]:
    """The items: by percentage one a treatment, by segment one an allocation.

    An allocation by segment that gives several treatments their parts, which this API cannot say,
    is an item for each, with its weight.
    """
    current = experiment.current
    treatments = {one.key: one for one in current.treatments}
    if shown_strategy(experiment) == "percentage":
        weights = _percents(current.allocations[0]) if current.allocations else {}
        return [
            _item(experiment, catalog, treatment, None, weights.get(key))
            for key, treatment in treatments.items()
        ]
    return [
        _item(
            experiment,
            catalog,
            treatments[key],
            allocation,
            None if part == allocation.total else _percents(allocation)[key],
        )
        for allocation in current.allocations
        for key, part in allocation.weights
    ]


def _item(
    experiment: Experiment,
    catalog: Catalog,
    treatment: Treatment,
    allocation: Allocation | None,
    weight: int | None,
) -> Auth0ShownItem:
    """The item of a treatment; by segment, of its `allocation`."""
    flag, key = treatment.sets[0] if treatment.sets else ("", "")
    noun = catalog.flags.get(flag)
    variation = next((one for one in noun.variations if one.key == key), None) if noun else None
    segment = allocation.segment if allocation else None
    shown = catalog.segments.get(segment or "")
    return Auth0ShownItem(
        variation_id=id_of("variation", flag, key) if flag else None,
        variation_name=shown_name(variation) if variation else None,
        segment_id=None if segment is None else id_of("segment", segment),
        segment_name=shown_name(shown) if shown else None,
        weight=weight,
        priority=_priority(experiment, allocation) if allocation else None,
        is_fallback=allocation.fallback if allocation else None,
        is_control=treatment.key in _controls(experiment),
        variation_snapshot=None,
        segment_snapshot=None,
    )


def _controls(experiment: Experiment) -> list[Any]:
    control = experiment.current.control
    claims = FIELDS.kept(experiment, CONTROLS)
    return [control] if control is not None else claims if isinstance(claims, list) else []


def _priority(experiment: Experiment, allocation: Allocation) -> int | None:
    if not allocation.fallback:
        return allocation.priority
    rank = FIELDS.kept(experiment, RANK)
    return rank if isinstance(rank, int) else None


def _percents(allocation: Allocation) -> dict[str, int]:
    """By treatment, the nearest whole weight out of 100: the vendor's clients read no others.

    What the parts leave of the total counts as one more part, so that all sum to 100; the largest
    remainders get what rounding down left, the earlier first where they are alike.
    """
    parts, total = [part for _, part in allocation.weights], allocation.total
    shares = [divmod(part * 100, total) for part in (*parts, max(total - sum(parts), 0))]
    percents = [whole for whole, _ in shares]
    left = max(100 - sum(percents), 0)
    for index in sorted(range(len(shares)), key=lambda at: -shares[at][1])[:left]:
        percents[index] += 1
    keys = [key for key, _ in allocation.weights]
    return dict(zip(keys, percents[: len(parts)], strict=True))
