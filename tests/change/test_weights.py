"""Limits of weights: a bucket at least, 64 bits at most, the same by every way in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.check.iteration import check_weights
from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.compile import compile_catalog
from allotment.dialects import catalogfile
from allotment.errors import AllotmentError, InvalidChange
from allotment.model.catalog import EMPTY
from allotment.model.experiment import Allocation, State
from allotment.model.limits import BUCKETS, WHOLE_MAX
from allotment.model.plain import from_plain, to_plain
from allotment.model.slots import Slot
from nouns import EVERYONE, catalog, changed, experiment, iteration
from strategies import plain

TINY = replace(EVERYONE, weights=(("control", 1), ("green", 9_999_999)), total=10_000_000)
LEAST = replace(EVERYONE, weights=(("control", 10), ("green", 9_999_990)), total=10_000_000)
DRAFTED = catalog(experiment("checkout", iteration(State.DRAFT)))
WAYS: dict[str, Command] = {
    "created": c.Create(experiment("new", iteration(State.DRAFT, allocations=(TINY,)))),
    "weighed": c.SetWeights("checkout", "everyone", TINY.weights, TINY.total),
    "allocated": c.SetAllocations("checkout", (TINY,)),
}


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("way", WAYS)
def test_a_weight_that_owns_no_bucket_is_refused_with_the_smallest_that_does(
    way: str, policy: Policy
) -> None:
    with pytest.raises(InvalidChange, match="make it 0, or 10 or more") as refusal:
        apply(DRAFTED, [WAYS[way]], policy)
    assert refusal.value.path.endswith("allocations[0].weights")
    assert refusal.value.code == "weights"
    least = c.SetWeights("checkout", "everyone", LEAST.weights, LEAST.total)
    started = apply(DRAFTED, [least, c.StartIteration("checkout")]).catalog
    owned = started.experiments["checkout"].current.allocations[0].slots
    assert [slot.stop - slot.start for slot in owned] == [1, 999_999]


def test_a_file_refuses_it_too() -> None:
    text = """
allotment: 1
experiments:
  checkout:
    state: running
    treatments: {a: {}, b: {}}
    allocations: [{weights: {a: WEIGHT, b: 0.3}, gap: REST}]
"""
    tiny = text.replace("WEIGHT", "0.00001").replace("REST", "99.69999")
    with pytest.raises(InvalidChange, match="make it 0, or 10 or more"):
        apply(EMPTY, catalogfile.read(tiny, EMPTY))
    least = text.replace("WEIGHT", "0.0001").replace("REST", "99.6999")
    apply(EMPTY, catalogfile.read(least, EMPTY))


def test_what_a_store_has_had_for_long_goes_on() -> None:
    """One with such a weight is paused, ended and ramped as before; its weights are not set so."""
    running = catalog(experiment())
    was = running.experiments["checkout"]
    slots = (Slot(0, BUCKETS, "green"),)
    tiny = replace(was.current, allocations=(replace(TINY, slots=slots),))
    store = replace(
        running,
        experiments=running.experiments.change({"checkout": replace(was, iterations=(tiny,))}),
    )
    for command in (
        c.PauseIteration("checkout"),
        c.SetEnrolment("checkout", 5),
        c.EndIteration("checkout"),
    ):
        apply(store, [command])


WHOLE = st.one_of(
    st.integers(0, 12),
    st.integers(1, 10**30),
    st.sampled_from(
        [10**18 - 1, 10**18, WHOLE_MAX - 1, WHOLE_MAX, WHOLE_MAX + 1, 2**64 - 1, 2**64, 10**40]
    ),
)


@given(
    parts=st.tuples(WHOLE, WHOLE),
    total=WHOLE,
    priority=WHOLE,
    number=WHOLE,
    state=st.sampled_from([State.DRAFT, State.RUNNING]),
)
@example((WHOLE_MAX - 10**15, 10**15), WHOLE_MAX, 1, 1, State.RUNNING)
@example((10**18, 10**18), 10**18, 1, 1, State.DRAFT)
@example((WHOLE_MAX, 1), 10**18, 1, 1, State.DRAFT)
@example((10**30, 1), 100, 1, 1, State.DRAFT)
@example((1, 1), 2, 10**30, 1, State.RUNNING)
@example((1, 1), 2, 1, 10**30, State.RUNNING)
def test_what_commands_accept_is_exported_and_read_back(
    parts: tuple[int, int], total: int, priority: int, number: int, state: State
) -> None:
    weights = tuple(zip(("control", "green"), parts, strict=True))
    allocation = Allocation("everyone", weights, total, priority=priority)
    noun = experiment("checkout", iteration(state, number, allocations=(allocation,)))
    command = from_plain(c.Create, to_plain(c.Create(noun)))
    try:
        made = apply(catalog(), [command]).catalog
    except AllotmentError:
        return
    assert compile_catalog(made).failures() == {}
    exported = catalogfile.show(made)
    assert plain(changed(EMPTY, *catalogfile.read(exported, EMPTY))) == plain(made)


@pytest.mark.parametrize(
    ("allocation", "draft"),
    [
        (Allocation("a", (("t", 1),), WHOLE_MAX + 1), False),
        (Allocation("a", (("t", WHOLE_MAX), ("u", 1)), WHOLE_MAX), True),
    ],
)
def test_weights_of_more_than_64_bits_are_refused(allocation: Allocation, *, draft: bool) -> None:
    with pytest.raises(InvalidChange, match="9,223,372,036,854,775,807"):
        check_weights(allocation, {"t", "u"}, "$", draft=draft)
