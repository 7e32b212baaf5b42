"""An experiment's allocations as this API lists them, and the strategy they amount to."""

from __future__ import annotations

from typing import Final

from allotment.dialects.auth0.allocations import PERCENTAGE, SEGMENT, STRATEGIES
from allotment.dialects.auth0.ids import id_of
from allotment.dialects.auth0.kept import kept
from allotment.dialects.auth0.labels import shown_name
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment

# What an experiment keeps: the strategy while it has no allocations, the treatments that claim to
# be the control where that is not one, and the priority given to the fallback.
STRATEGY: Final = "allocation_strategy"
CONTROLS: Final = "controls"
RANK: Final = "fallback_priority"

# What a request can say of an item; the rest of it is for people.
_SAID: Final = ("variation_id", "weight", "segment_id", "priority", "is_control", "is_fallback")


def shown_strategy(experiment: Experiment) -> str:
    """By percentage where one allocation without a segment is all there is, else by segment."""
    allocations = experiment.current.allocations
    if not allocations:
        asked = kept(experiment, STRATEGY)
        return asked if isinstance(asked, str) and asked in STRATEGIES else PERCENTAGE
    lone = len(allocations) == 1 and not allocations[0].segment and not allocations[0].fallback
    return PERCENTAGE if lone else SEGMENT


def show_items(experiment: Experiment, catalog: Catalog) -> list[Tree]:
    """The items as this API spells them: by percentage one a treatment, else one an allocation.

    An allocation by segment that gives several treatments their parts, which this API cannot say,
    is an item for each, with its weight.
    """
    current = experiment.current
    controls = _controls(experiment)

    def item(treatment: Treatment, said: dict[str, Tree]) -> Tree:
        return {
            **_variation(treatment, catalog),
            **said,
            "is_control": treatment.key in controls,
            "variation_snapshot": None,
            "segment_snapshot": None,
        }

    if shown_strategy(experiment) == PERCENTAGE:
        weights = _weights(current.allocations[0]) if current.allocations else {}
        return [item(one, weights.get(one.key, {})) for one in current.treatments]
    treatments = {one.key: one for one in current.treatments}
    return [
        item(treatments[key], {**_segment(allocation, experiment, catalog), **weight})
        for allocation in current.allocations
        for key, weight in _weights(allocation, whole={}).items()
    ]


def _weights(
    allocation: Allocation, whole: dict[str, Tree] | None = None
) -> dict[str, dict[str, Tree]]:
    """What is shown of each treatment's weight; `whole` where it has all, if that is given."""
    percents = _percents([part for _, part in allocation.weights], allocation.total)
    return {
        key: whole if part == allocation.total and whole is not None else {"weight": percent}
        for (key, part), percent in zip(allocation.weights, percents, strict=True)
    }


def said(items: Tree) -> Tree:
    """What a request says where it sends items as they are shown, or leaves out what is usual."""
    if not isinstance(items, list):
        return items
    return [
        {name: value for name, value in item.items() if name in _SAID and _tells(name, value)}
        if isinstance(item, dict)
        else item
        for item in items
    ]


def _tells(name: str, value: Tree) -> bool:
    return name != "is_fallback" or value is not False


def _controls(experiment: Experiment) -> tuple[str, ...]:
    current: Iteration = experiment.current
    if current.control is not None:
        return (current.control,)
    claims = kept(experiment, CONTROLS)
    return tuple(str(key) for key in claims) if isinstance(claims, list) else ()


def _variation(treatment: Treatment, catalog: Catalog) -> dict[str, Tree]:
    if not treatment.sets:
        return {}
    flag, key = treatment.sets[0]
    shown: dict[str, Tree] = {"variation_id": id_of("variation", flag, key)}
    noun = catalog.flags.get(flag)
    for variation in noun.variations if noun else ():
        if variation.key == key:
            shown["variation_name"] = shown_name(variation)
    return shown


def _segment(allocation: Allocation, experiment: Experiment, catalog: Catalog) -> dict[str, Tree]:
    if allocation.fallback:
        rank = kept(experiment, RANK)
        asked: dict[str, Tree] = {"priority": rank} if rank is not None else {}
        return {**asked, "is_fallback": True}
    shown: dict[str, Tree] = {"priority": allocation.priority, "is_fallback": False}
    if allocation.segment is not None:
        shown["segment_id"] = id_of("segment", allocation.segment)
        noun = catalog.segments.get(allocation.segment)
        if noun is not None:
            shown["segment_name"] = shown_name(noun)
    return shown


def _percents(parts: list[int], total: int) -> list[int]:
    """The nearest whole weights out of 100: the vendor's clients read no others.

    What the parts leave of the total counts as one more part, so that all sum to 100; the largest
    remainders get what rounding down left, the earlier first where they are alike.
    """
    shares = [divmod(part * 100, total) for part in (*parts, max(total - sum(parts), 0))]
    percents = [whole for whole, _ in shares]
    left = max(100 - sum(percents), 0)
    for index in sorted(range(len(shares)), key=lambda at: -shares[at][1])[:left]:
        percents[index] += 1
    return percents[: len(parts)]
