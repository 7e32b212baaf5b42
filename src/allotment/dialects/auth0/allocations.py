"""Allocations: each item of this API gives one variation to some devices.

By percentage, all items are one allocation of ours, each a treatment with its weight. By segment,
each item is an allocation of its own, with one treatment that gets everyone it matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from allotment.dialects.auth0.by_segment import read_by_segment
from allotment.dialects.auth0.codes import OBSTACLES
from allotment.dialects.auth0.ids import ID_MAX, find_variation
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import numbered
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Iteration, Treatment
from allotment.model.flag import Flag
from allotment.model.weight import to_parts

PERCENTAGE: Final = "percentage"
SEGMENT: Final = "segment"
STRATEGIES: Final = (PERCENTAGE, SEGMENT)

ITEMS_MAX: Final = 20

_REQUIRED: Final = ("variation_id", "is_control")
_FIELDS: Final = (*_REQUIRED, "weight", "segment_id", "priority", "is_fallback")
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


def read_allocations(
    place: Place, strategy: str, flag: Flag, catalog: Catalog, old: Iteration | None
) -> Dealt:
    """The items of a request, 1 to 20.

    A treatment and an allocation of the `old` iteration that an item stands for again keep their
    keys, so that nobody moves but who must.
    """
    if isinstance(place.value, list) and len(place.value) > ITEMS_MAX:
        message = f"Experiments may have at most {ITEMS_MAX} allocations"
        raise Refusal(400, "experiment_too_many_allocations", message, place.path)
    items = [item.fields(_FIELDS, _REQUIRED) for item in place.items(1, ITEMS_MAX)]
    treatments = _treatments(items, flag, old)
    marked = zip(items, treatments, strict=True)
    controls = tuple(one.key for item, one in marked if item.at("is_control").truth())
    if strategy == PERCENTAGE:
        return Dealt(treatments, (_by_weight(items, treatments, old),), controls)
    allocations, rank = read_by_segment(items, treatments, catalog, old)
    return Dealt(treatments, allocations, controls, rank)


def _treatments(items: Sequence[Place], flag: Flag, old: Iteration | None) -> tuple[Treatment, ...]:
    """A treatment an item: the old one that sets its variation, where there is one left."""
    left = list(old.treatments) if old else []
    found: list[Treatment | str] = []
    for item in items:
        variation = _variation(item.at("variation_id"), flag)
        again = next((one for one in left if (flag.key, variation) in one.sets), None)
        if again is not None:
            left.remove(again)
        found.append(again or variation)
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


def _variation(place: Place, flag: Flag) -> str:
    found = find_variation(flag, place.text(1, ID_MAX))
    if found is None:
        message = "Variation does not belong to the referenced feature flag"
        raise Refusal(400, OBSTACLES["foreign_variation"], message, place.path)
    return found.key


def _by_weight(
    items: Sequence[Place], treatments: Sequence[Treatment], old: Iteration | None
) -> Allocation:
    weights: list[tuple[str, Decimal]] = []
    for item, treatment in zip(items, treatments, strict=True):
        for name in ("segment_id", "priority"):
            if item.at(name).given:
                raise item.at(name).refusal(f"this has no meaning in the {PERCENTAGE} strategy")
        if item.at("is_fallback").given and item.at("is_fallback").truth():
            raise item.at("is_fallback").refusal(f"the {PERCENTAGE} strategy has no fallback")
        if item.at("weight").given:
            weights.append((treatment.key, item.at("weight").number(0, 100)))
    parts, total = to_parts([weight for _, weight in weights], _HUNDRED)
    shares = tuple((key, part) for (key, _), part in zip(weights, parts, strict=True))
    everyone = (one.key for one in (old.allocations if old else ()) if one.segment is None)
    return Allocation(next(everyone, "everyone"), shares, total)
