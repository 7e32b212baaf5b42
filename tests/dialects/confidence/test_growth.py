"""Weights of a live instance: whatever grows moves nobody, over every bucket there is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import Create
from allotment.change.lifecycle import Policy
from allotment.dialects.confidence.instance_views import (
    ConfidenceInstanceCreate,
    ConfidenceInstanceEdit,
)
from allotment.dialects.confidence.instances import create_instance, update_instance
from allotment.dialects.confidence.names import instance_id
from allotment.dialects.confidence.transitions import ConfidenceTransition, transition_instance
from allotment.dialects.wire.model import read
from allotment.dialects.wire.operation import Call
from allotment.errors import InvalidChange
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.slots import Slot, Slots, size
from workspace import BUTTON, arms

BASE = apply(EMPTY, [Create(BUTTON)]).catalog

weights = st.tuples(*[st.integers(0, 4000)] * 3).filter(lambda parts: 0 < sum(parts) <= 10_000)


def asked(model: type[Any], body: Any) -> Call[Any]:
    ids = {"instance": instance_id("growing")}
    return Call(ids, read(model, body), 0, lambda size: "ab" * size)


def live(parts: tuple[int, ...]) -> Catalog:
    body = {"displayName": "Growing", "abtest": {"treatments": arms(*parts)}}
    commands = create_instance(asked(ConfidenceInstanceCreate, body), BASE)
    catalog = apply(BASE, commands, Policy.CONFIDENCE).catalog
    start = asked(ConfidenceTransition, {"targetState": "live"})
    return apply(catalog, transition_instance(start, catalog), Policy.CONFIDENCE).catalog


def reweighted(catalog: Catalog, parts: tuple[int, ...]) -> Catalog:
    body = {"abtest": {"flag": "flags/button", "treatments": arms(*parts)}}
    commands = update_instance(asked(ConfidenceInstanceEdit, body), catalog)
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
