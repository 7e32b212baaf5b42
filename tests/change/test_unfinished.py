"""A draft may be unfinished: it assigns nothing, and starts once it is finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.diff import diff
from allotment.change.lifecycle import Policy
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidChange
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Iteration, State
from allotment.reference.assign import assign
from allotment.words.commands import planned_lines
from nouns import EVERYONE, TREATMENTS, catalog, changed, experiment, iteration
from strategies import plain

OVER = replace(EVERYONE, weights=(("control", 80), ("green", 60)))
BARE = Iteration(1, (), ())
UNFINISHED = {
    "nothing": BARE,
    "no allocation": replace(BARE, treatments=TREATMENTS, control="control"),
    "no treatment": replace(BARE, allocations=(Allocation("everyone", (), 100),)),
    "weights over": replace(BARE, treatments=TREATMENTS, allocations=(OVER,)),
}
each = pytest.mark.parametrize("draft", UNFINISHED.values(), ids=UNFINISHED)


def holding(draft: Iteration) -> Catalog:
    overrides = (("user-7", "green"),) if draft.treatments else ()
    return catalog(experiment("checkout", draft, overrides=overrides))


@each
def test_it_is_inactive_for_everyone_but_by_override(draft: Iteration) -> None:
    base = holding(draft)
    engine = Engine(compile_catalog(base))
    assert engine.snapshot.failures() == {}
    units = ["user-1", "user-7"]
    reasons = ["INACTIVE", "OVERRIDE" if draft.treatments else "INACTIVE"]
    assert [engine.assign("checkout", unit).reason for unit in units] == reasons
    assert [assign(base, "checkout", unit).reason for unit in units] == reasons
    assert [str(engine.explain("checkout", unit).assignment.reason) for unit in units] == reasons
    given = [None, "green" if draft.treatments else None]
    assert engine.assign_many("checkout", units).names() == given
    assert engine.assign_table(units)["checkout"].names() == given
    assert engine.resolve("button", "user-1").variation == "blue"


@each
def test_it_has_a_fingerprint_that_its_treatments_are_in(draft: Iteration) -> None:
    mark = compile_catalog(holding(draft)).fingerprint
    assert mark == compile_catalog(holding(draft)).fingerprint
    assert mark != compile_catalog(holding(iteration(State.DRAFT))).fingerprint


@each
@pytest.mark.parametrize("policy", Policy)
def test_it_starts_under_no_policy(draft: Iteration, policy: Policy) -> None:
    with pytest.raises(InvalidChange) as refusal:
        apply(holding(draft), [c.StartIteration("checkout", "why")], policy)
    assert refusal.value.code in {"no_treatment", "no_allocation", "weights"}


@each
@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.STOPPED])
def test_nothing_but_a_draft_may_be_so(draft: Iteration, state: State) -> None:
    put = replace(draft, state=state, control=None)
    for command in (c.Create(experiment("new", put)), c.Replace(experiment("checkout", put))):
        with pytest.raises(InvalidChange):
            apply(holding(BARE), [command])


@each
def test_it_is_finished_step_by_step_and_then_starts(draft: Iteration) -> None:
    finishing = (
        c.SetAllocations("checkout", ()),
        c.SetTreatments("checkout", TREATMENTS, "control"),
        c.SetAllocations("checkout", (OVER,)),
        c.SetWeights("checkout", "everyone", EVERYONE.weights, 100),
    )
    for policy in Policy:
        done = apply(holding(draft), [*finishing, c.StartIteration("checkout")], policy).catalog
        slots = done.experiments["checkout"].current.allocations[0].slots
        assert [tuple(slot) for slot in slots] == [
            (0, 500_000, "control"),
            (500_000, 1_000_000, "green"),
        ]


@each
def test_differences_lead_there_and_back(draft: Iteration) -> None:
    whole, part = holding(iteration(State.DRAFT)), holding(draft)
    for old, new in ((whole, part), (part, whole), (EMPTY, part), (part, EMPTY)):
        commands = diff(old, new)
        assert plain(changed(old, *commands)) == plain(new)
        assert list(planned_lines(commands, old))


def test_no_slots_are_laid_for_weights_above_their_total() -> None:
    draft = holding(UNFINISHED["weights over"]).experiments["checkout"].current
    assert draft.allocations[0].slots == ()
    laid = holding(iteration()).experiments["checkout"].current.allocations[0].slots
    given = replace(draft, allocations=(replace(OVER, slots=laid),))
    with pytest.raises(InvalidChange, match="no slots are laid"):
        holding(given)


# A draft that carries on keeps the slots of the iteration before it, whatever it went through.

MOVED = changed(
    changed(
        catalog(experiment()),
        c.SetWeights("checkout", "everyone", (("control", 20), ("green", 80)), 100),
    ),
    c.SetWeights("checkout", "everyone", (("control", 50), ("green", 50)), 100),
)
DRAFT = replace(iteration(State.DRAFT, 2), allocations=())
FINAL = replace(EVERYONE, weights=(("control", 40), ("green", 60)))


def started(*commands: c.Command) -> Catalog:
    """Where the commands, final weights for the draft and its start lead from there."""
    final = c.SetAllocations("checkout", (FINAL,), 2)
    return changed(changed(MOVED, *commands, final), c.StartIteration("checkout", "final"))


@pytest.mark.parametrize(
    "detour",
    [
        (),
        (c.SetAllocations("checkout", (OVER,), 2),),
        (c.SetAllocations("checkout", (EVERYONE,), 2), c.SetAllocations("checkout", (), 2)),
    ],
)
def test_a_draft_is_reallocated_from_the_iteration_before_it_after_any_detour(
    detour: tuple[c.Command, ...],
) -> None:
    finished = started(c.DraftIteration("checkout", DRAFT), *detour)
    at_once = changed(MOVED, c.SetAllocations("checkout", (FINAL,)))
    first = at_once.experiments["checkout"].current.allocations
    assert finished.experiments["checkout"].iterations[1].allocations == first
    fresh = started(c.DraftIteration("checkout", replace(DRAFT, reshuffle=True)))
    assert fresh.experiments["checkout"].iterations[1].allocations != first


def test_mending_the_weights_of_a_draft_is_found_as_the_finest_command() -> None:
    over = changed(
        MOVED, c.DraftIteration("checkout", DRAFT), c.SetAllocations("checkout", (OVER,), 2)
    )
    mend = c.SetWeights("checkout", "everyone", FINAL.weights, 100, 2)
    assert diff(over, changed(over, mend)) == (mend,)
