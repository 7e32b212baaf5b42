"""Starting, stopping and drafting: what they need beside a status, and what they leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.lifecycle import Policy
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, State
from allotment.model.flag import Flag, FlagState, Variation
from allotment.model.segment import Segment
from nouns import EVERYONE, catalog, changed, experiment, iteration

NATIVE, AUTH0, LAUNCHDARKLY, CONFIDENCE = Policy
START = c.StartIteration("checkout")
DRAFT = iteration(State.DRAFT)
SHIFTED = replace(EVERYONE, weights=(("control", 20), ("green", 80)))


def refused_by(base: Catalog, *commands: c.Command) -> set[Policy]:
    """The policies under which the last of the commands is refused."""
    *before, last = commands
    ready = changed(base, *before)
    refusing = set()
    for policy in Policy:
        try:
            apply(ready, [last], policy)
        except InvalidChange:
            refusing.add(policy)
    return refusing


def test_a_complete_draft_starts_everywhere() -> None:
    assert refused_by(catalog(experiment("checkout", DRAFT)), START) == set()


def test_starting_needs_a_weight_everywhere_but_natively() -> None:
    nobody = replace(EVERYONE, weights=(("control", 0), ("green", 0)))
    made = catalog(experiment("checkout", replace(DRAFT, allocations=(nobody,))))
    assert refused_by(made, START) == {AUTH0, LAUNCHDARKLY, CONFIDENCE}


def test_starting_needs_its_flags_on_in_auth0_and_launchdarkly() -> None:
    made = catalog(experiment("checkout", DRAFT))
    off = c.SwitchFlag("button", FlagState.OFF)
    assert refused_by(made, off, START) == {AUTH0, LAUNCHDARKLY}


def test_starting_in_auth0_needs_a_control_whole_weights_and_a_fallback_beside_segments() -> None:
    gap = replace(EVERYONE, total=101)
    some = replace(EVERYONE, segment="nordics")
    fallback = Allocation("fallback", (("control", 1),), 1, priority=0, fallback=True)
    for fields, refusing in (
        ({"control": None}, {AUTH0}),
        ({"allocations": (gap,)}, {AUTH0}),
        ({"allocations": (some,)}, {AUTH0}),
        ({"allocations": (some, fallback)}, set()),
    ):
        draft = replace(DRAFT, **fields)
        made = catalog(Segment("nordics"), experiment("checkout", draft))
        assert refused_by(made, START) == refusing, fields


def test_starting_over_stops_what_runs_and_needs_a_justification() -> None:
    drafted = c.DraftIteration("checkout", replace(DRAFT, allocations=(SHIFTED,)))
    made = changed(catalog(experiment()), drafted)
    with pytest.raises(InvalidChange, match="say why in a justification"):
        apply(made, [START])
    over = changed(made, replace(START, justification="a bolder split")).experiments["checkout"]
    assert [one.state for one in over.iterations] == [State.STOPPED, State.RUNNING]
    assert over.current.justification == "a bolder split"


def test_stopping_needs_a_winner_in_launchdarkly() -> None:
    made = catalog(experiment())
    assert refused_by(made, c.EndIteration("checkout")) == {LAUNCHDARKLY}
    assert refused_by(made, c.EndIteration("checkout", "green", "sold more")) == set()
    ended = changed(made, c.EndIteration("checkout", "green", "sold more")).experiments["checkout"]
    assert (ended.current.winner, ended.current.winning_reason) == ("green", "sold more")


def test_starting_and_ending_say_when_and_pausing_does_not() -> None:
    running = changed(catalog(experiment("checkout", DRAFT)), replace(START, at=5))
    held = (c.PauseIteration("checkout"), c.ResumeIteration("checkout"))
    ended = changed(running, *held, c.EndIteration("checkout", at=7)).experiments["checkout"]
    assert (ended.current.started_at, ended.current.ended_at) == (5, 7)


def test_ending_again_changes_nothing_and_not_when_it_ended() -> None:
    ended = changed(catalog(experiment()), c.EndIteration("checkout", "green", at=7))
    for at in (None, 7, 8):
        again = c.EndIteration("checkout", "green", at=at)
        assert all(apply(ended, [again], policy).catalog is ended for policy in Policy)


def test_a_draft_of_an_iteration_that_ran_has_not_started() -> None:
    ran = iteration(State.STOPPED, started_at=5, ended_at=7)
    drafted = changed(catalog(experiment()), c.DraftIteration("checkout", ran))
    draft = drafted.experiments["checkout"].draft
    assert draft is not None
    assert (draft.started_at, draft.ended_at) == (None, None)


def test_stop_and_start_always_reshuffles_in_launchdarkly() -> None:
    beside = changed(catalog(experiment()), c.DraftIteration("checkout", DRAFT))
    stopped = changed(beside, c.EndIteration("checkout", "green"))
    assert LAUNCHDARKLY in refused_by(stopped, START)
    again = c.DraftIteration("checkout", replace(DRAFT, reshuffle=True))
    assert LAUNCHDARKLY not in refused_by(stopped, again)
    assert LAUNCHDARKLY not in refused_by(stopped, again, START)


def test_a_stopped_iteration_never_runs_again() -> None:
    made = catalog(experiment("checkout", iteration(State.STOPPED)))
    assert refused_by(made, START) == set(Policy)
    assert refused_by(made, c.ResumeIteration("checkout")) == set(Policy)


def test_starting_without_a_draft_says_to_draft_one() -> None:
    with pytest.raises(InvalidChange, match="draft an iteration first"):
        apply(catalog(experiment()), [replace(START, justification="why")])


def test_a_draft_keeps_the_salt_and_is_reallocated_from_the_iteration_before_it() -> None:
    base = catalog(experiment())
    drafted = changed(base, c.DraftIteration("checkout", replace(DRAFT, allocations=(SHIFTED,))))
    first, second = drafted.experiments["checkout"].iterations
    assert (second.number, second.state, second.salt) == (2, State.DRAFT, "checkout#1")
    assert second.allocations[0].slots == (), "they are laid when it starts"
    reweighted = changed(base, c.SetWeights("checkout", "everyone", SHIFTED.weights, 100))
    started = changed(drafted, c.StartIteration("checkout", "shifted"))
    laid = reweighted.experiments["checkout"].current.allocations
    assert started.experiments["checkout"].current.allocations == laid
    assert first == base.experiments["checkout"].current


def test_a_reshuffled_draft_is_dealt_afresh() -> None:
    moved = changed(
        catalog(experiment()),
        c.SetWeights("checkout", "everyone", (("control", 80), ("green", 20)), 100),
        c.DraftIteration("checkout", replace(DRAFT, allocations=(SHIFTED,), reshuffle=True)),
    )
    draft = moved.experiments["checkout"].draft
    assert draft is not None
    assert draft.salt == "checkout#2"
    started = changed(moved, c.StartIteration("checkout", "afresh"))
    assert [
        tuple(slot) for slot in started.experiments["checkout"].current.allocations[0].slots
    ] == [
        (0, 200_000, "control"),
        (200_000, 1_000_000, "green"),
    ]


def test_drafting_again_puts_the_draft_in_place_of_the_one_there_is() -> None:
    drafted = changed(
        catalog(experiment()),
        c.DraftIteration("checkout", replace(DRAFT, enrolment_ppm=1)),
        c.DraftIteration("checkout", replace(DRAFT, enrolment_ppm=2)),
    )
    assert [one.enrolment_ppm for one in drafted.experiments["checkout"].iterations] == [
        1_000_000,
        2,
    ]


def test_an_edit_means_the_live_iteration_unless_it_says_another() -> None:
    made = changed(
        catalog(experiment()),
        c.DraftIteration("checkout", DRAFT),
        c.SetEnrolment("checkout", 1),
        c.SetEnrolment("checkout", 2, iteration=2),
    )
    assert [one.enrolment_ppm for one in made.experiments["checkout"].iterations] == [1, 2]


@pytest.mark.parametrize(
    ("weights", "shrinks"),
    [
        ((("control", 40), ("green", 40)), False),  # the gap gives
        ((("control", 30), ("green", 31)), False),
        ((("control", 29), ("green", 71)), True),
        ((("control", 30),), True),
    ],
)
def test_confidence_raises_weights_while_live_and_never_lowers_them(
    weights: tuple[tuple[str, int], ...], shrinks: bool
) -> None:
    narrow = replace(EVERYONE, weights=(("control", 30), ("green", 30)))
    made = catalog(experiment("checkout", iteration(allocations=(narrow,))))
    refusing = refused_by(made, c.SetWeights("checkout", "everyone", weights, 100))
    assert (CONFIDENCE in refusing) == shrinks
    # Twice as fine parts of twice the total are the same shares.
    finer = tuple((key, 2 * part) for key, part in weights)
    refusing = refused_by(made, c.SetWeights("checkout", "everyone", finer, 200))
    assert (CONFIDENCE in refusing) == shrinks


SWITCHES = {
    # From, to: the policies that refuse.
    (FlagState.OFF, FlagState.ON): set(),
    (FlagState.OFF, FlagState.ARCHIVED): set(),
    (FlagState.ON, FlagState.OFF): {AUTH0, CONFIDENCE},
    (FlagState.ON, FlagState.ARCHIVED): set(),
    (FlagState.ARCHIVED, FlagState.ON): set(Policy),
    (FlagState.ARCHIVED, FlagState.OFF): set(Policy),
}


@pytest.mark.parametrize(("old", "new"), SWITCHES)
def test_a_flag_is_switched_where_its_api_can_and_never_out_of_the_archive(
    old: FlagState, new: FlagState
) -> None:
    two = (Variation("x", "1"), Variation("y", "2"))
    made = catalog(Flag("f", two, "x", state=old))
    assert refused_by(made, c.SwitchFlag("f", new)) == SWITCHES[old, new]


def test_turning_a_flag_on_in_auth0_needs_two_variations() -> None:
    made = catalog(Flag("f", (Variation("x", "1"),), "x", state=FlagState.OFF))
    assert refused_by(made, c.SwitchFlag("f", FlagState.ON)) == {AUTH0}
