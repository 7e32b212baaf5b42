"""An iteration that carries on starts from the slots that are dealt when it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.diff import diff
from allotment.change.impact import Change
from allotment.change.reallocate import counts, moved
from allotment.dialects import catalogfile
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.keyed import Keyed
from allotment.model.plain import from_plain, to_plain
from allotment.model.slots import Slot
from strategies import plain

KEYS = ("a", "b", "c")
TREATMENTS = tuple(Treatment(key) for key in KEYS)


def dealt(*parts: int, key: str = "everyone", **more: object) -> Allocation:
    return Allocation(key, tuple(zip(KEYS, parts, strict=False)), 100, **more)


def iteration(number: int, state: State, *parts: int, **more: object) -> Iteration:
    return Iteration(number, TREATMENTS, (dealt(*parts),), state, **more)


def weigh(*parts: int, number: int | None = None) -> c.SetWeights:
    return c.SetWeights("test", "everyone", dealt(*parts).weights, 100, number)


def draft(*parts: int, **more: object) -> c.DraftIteration:
    return c.DraftIteration("test", iteration(2, State.DRAFT, *parts, **more))


START = c.StartIteration("test", "next")


def live(*parts: int) -> Catalog:
    running = Experiment("test", (iteration(1, State.RUNNING, *parts),))
    return apply(EMPTY, [c.Create(running)]).catalog


def walked(catalog: Catalog, changes: Iterable[tuple[c.Command, ...]]) -> Iterator[Change]:
    for commands in changes:
        change = apply(catalog, commands)
        yield change
        catalog = change.catalog


def distance(old: Allocation, new: Allocation) -> int:
    """The total variation of two weights, in buckets."""
    before, after = counts(old.weights, old.total), counts(new.weights, new.total)
    return sum(max(0, count - after.get(owner, 0)) for owner, count in before.items())


def assert_moves_what_it_must(old: Catalog, change: Change) -> None:
    was, now = old.experiments["test"].live, change.catalog.experiments["test"].live
    assert was is not None
    assert now is not None
    before, after = was.allocations[0], now.allocations[0]
    count = moved(before.slots, after.slots)
    assert count == distance(before, after)
    assert sum(move.moved_ppm for move in change.moves) == count


HISTORIES: dict[str, tuple[Catalog, list[tuple[c.Command, ...]]]] = {
    "weights that go and come back": (
        live(34, 33, 33),
        [(draft(34, 33, 33),), (weigh(10, 80, 10, number=2),), (weigh(34, 33, 33, number=2),)],
    ),
    "a live one that grows beside it": (
        live(10, 10),
        [(draft(50, 50),), (weigh(30, 10, number=1),), (weigh(30, 30, number=1),)],
    ),
    "a live one that grows in the change that starts it": (
        live(10, 10),
        [(draft(50, 50),), (weigh(30, 10, number=1), weigh(10, 30, number=1))],
    ),
    "allocations of another key": (
        live(30, 30),
        [
            (draft(10, 60),),
            (c.SetAllocations("test", (dealt(20, 50, key="all"),), 2),),
        ],
    ),
    "exact slots": (
        live(30, 30),
        [(draft(30, 70),), (c.SetAllocations("test", (
            dealt(30, 70, slots=(Slot(0, 700_000, "b"), Slot(700_000, 1_000_000, "a"))),
        ), 2),)],
    ),
    "a pause": (
        live(30, 30),
        [(weigh(60, 10),), (draft(30, 30),), (c.PauseIteration("test"),)],
    ),
    "an end in the change that starts it": (live(30, 30), [(draft(70, 10),)]),
}  # fmt: skip


@pytest.mark.parametrize("why", HISTORIES)
def test_a_start_moves_the_total_variation_whatever_happened_to_the_draft(why: str) -> None:
    catalog, changes = HISTORIES[why]
    ends = (c.EndIteration("test"), START) if why.startswith("an end") else (START,)
    for commands in (*changes, ends):
        change = apply(catalog, commands)
        assert_moves_what_it_must(catalog, change)
        catalog = change.catalog
    assert catalog.experiments["test"].current.number == 2


def test_a_start_is_the_same_as_new_weights_of_what_runs() -> None:
    catalog, changes = HISTORIES["a live one that grows beside it"]
    *_, last = walked(catalog, changes)
    started = apply(last.catalog, [START]).catalog.experiments["test"].current
    weighed = apply(last.catalog, [weigh(50, 50, number=1)]).catalog.experiments["test"].current
    assert started.allocations == weighed.allocations


def test_weights_that_go_and_come_back_in_one_change_move_nobody() -> None:
    catalog = live(34, 33, 33)
    there_and_back = [weigh(10, 80, 10), weigh(34, 33, 33)]
    assert apply(catalog, there_and_back).catalog is catalog
    change = apply(catalog, [*there_and_back, draft(30, 40, 30), weigh(1, 2, 3), START])
    assert_moves_what_it_must(catalog, change)


def test_a_file_starts_a_draft_from_what_runs_and_may_change_that_too() -> None:
    catalog = live(10, 10)
    for commands in ((draft(50, 50),), (weigh(30, 10, number=1),)):
        catalog = apply(catalog, commands).catalog
    text = """
allotment: 1
experiments:
  test:
    iteration: 2
    state: running
    justification: next
    treatments: {a: {}, b: {}, c: {}}
    allocations: [{weights: {a: 50, b: 50}}]
    iterations:
      - iteration: 1
        state: stopped
        treatments: {a: {}, b: {}, c: {}}
        allocations: [{weights: {a: 10, b: 80}, gap: 10}]
"""
    change = apply(catalog, catalogfile.read(text, catalog))
    assert change.catalog.experiments["test"].current.number == 2
    assert_moves_what_it_must(catalog, change)
    assert catalogfile.read(text, change.catalog) == ()
    exported = catalogfile.show(change.catalog)
    assert catalogfile.read(exported, change.catalog) == ()
    assert plain(apply(EMPTY, catalogfile.read(exported, EMPTY)).catalog) == plain(change.catalog)


def test_a_draft_in_a_store_of_before_starts_from_what_runs() -> None:
    """A draft that carries on had slots of its own, which are passed over."""
    catalog = apply(live(30, 30), [draft(50, 50)]).catalog
    experiment = catalog.experiments["test"]
    one, other = experiment.iterations
    slots = (Slot(0, 500_000, "b"), Slot(500_000, 1_000_000, "a"))
    old = replace(other, allocations=(dealt(50, 50, slots=slots),))
    stored = from_plain(Experiment, to_plain(replace(experiment, iterations=(one, old))))
    before = replace(catalog, experiments=Keyed([("test", stored)]))
    for commands in ([START], [c.SetEnrolment("test", 5, 2), START]):
        assert_moves_what_it_must(before, apply(before, commands))
    reached = apply(before, diff(before, catalog)).catalog
    assert plain(reached) == plain(catalog)


def test_exact_slots_of_a_draft_that_carries_nothing_on_are_those_it_starts_with() -> None:
    slots = (Slot(0, 500_000, "b"), Slot(500_000, 1_000_000, "a"))
    exact = c.SetAllocations("test", (dealt(50, 50, slots=slots),), 2)
    afresh = draft(10, 10, reshuffle=True)
    for commands in ([exact], [weigh(1, 2, number=2), exact]):
        catalog = apply(live(30, 30), [afresh, *commands, START]).catalog
        assert catalog.experiments["test"].current.allocations[0].slots == slots
    weighed = apply(live(30, 30), [afresh, exact, weigh(50, 50, number=2), START]).catalog
    assert weighed.experiments["test"].current.allocations[0].slots[0] == Slot(0, 500_000, "a")
