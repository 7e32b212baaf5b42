"""Weights of a live instance: whatever grows moves nobody, over every bucket there is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import Create
from allotment.change.lifecycle import Policy
from allotment.dialects.confidence.instances import read_create, read_update
from allotment.dialects.confidence.names import instance_id
from allotment.dialects.confidence.transitions import read_transition
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.errors import InvalidChange
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.slots import Slot, Slots, size
from allotment.store import Version
from workspace import BUTTON, arms

BASE = apply(EMPTY, [Create(BUTTON)]).catalog

weights = st.tuples(*[st.integers(0, 4000)] * 3).filter(lambda parts: 0 < sum(parts) <= 10_000)


def asked(body: Any) -> Asked:
    given = Given(0, lambda size: "ab" * size)
    return Asked(
        {"instance": instance_id("growing")},
        Place({}, "query"),
        Place(body),
        given,
        {"experiment:growing": Version(1, 0, 0)},
    )


def live(parts: tuple[int, ...]) -> Catalog:
    body = {"displayName": "Growing", "abtest": {"treatments": arms(*parts)}}
    catalog = apply(BASE, read_create(asked(body), BASE), Policy.CONFIDENCE).catalog
    commands = read_transition(asked({"targetState": "live"}), catalog)
    return apply(catalog, commands, Policy.CONFIDENCE).catalog


def reweighted(catalog: Catalog, parts: tuple[int, ...]) -> Catalog:
    commands = read_update(asked({"abtest": {"treatments": arms(*parts)}}), catalog)
    return apply(catalog, commands, Policy.CONFIDENCE).catalog


def slots_of(catalog: Catalog) -> Slots:
    (allocation,) = catalog.experiments["growing"].current.allocations
    return allocation.slots


def stays(slot: Slot, slots: Slots) -> bool:
    """Whether every bucket of the slot is its owner's still."""
    return any(
        one.owner == slot.owner and one.start <= slot.start and slot.stop <= one.stop
        for one in slots
    )


@given(st.lists(weights, min_size=2, max_size=4))
def test_growing_keeps_every_bucket_and_anything_else_is_refused(
    steps: list[tuple[int, ...]],
) -> None:
    here, catalog = steps[0], live(steps[0])
    for parts in steps[1:]:
        before = slots_of(catalog)
        if any(new < old for new, old in zip(parts, here, strict=True)):
            with pytest.raises(InvalidChange):
                reweighted(catalog, parts)
            grown = tuple(map(max, parts, here))
            if sum(grown) > 10_000:
                with pytest.raises(InvalidChange):
                    reweighted(catalog, grown)
                continue
            parts = grown  # noqa: PLW2901  # as much of the step as grows
        catalog, here = reweighted(catalog, parts), parts
        after = slots_of(catalog)
        assert all(stays(slot, after) for slot in before)
        for treatment, part in zip(BUTTON.variations, parts, strict=True):
            assert size(one for one in after if one.owner == treatment.key) == part * 100
