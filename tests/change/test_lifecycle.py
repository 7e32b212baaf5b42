"""What may follow what: every cell of the table, by policy, and by really doing it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change import lifecycle
from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.lifecycle import Event, Policy, Status
from allotment.errors import InvalidChange
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Experiment, State
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import Segment
from nouns import EVERYONE, FLAG, TREATMENTS, iteration

E, S = Event, Status

# For each policy: what may happen while an experiment is draft, running, paused, stopped, archived.
EDITS_OF_A_DRAFT = {
    E.NAME, E.UNIT, E.TREATMENTS, E.ALLOCATIONS, E.WEIGHTS_UP, E.WEIGHTS_DOWN, E.AUDIENCE,
}  # fmt: skip
BELONGING = {E.LAYER_UP, E.LAYER_DOWN, E.HOLDOUT}
SWITCHES = {E.OVERRIDES, E.KEEPING, E.INTAKE}
RAMP = {E.ENROLMENT_UP, E.ENROLMENT_DOWN}
DRAFTING = {E.CARRY_OVER, E.RESHUFFLE}
NATIVE_LIVE = (
    (EDITS_OF_A_DRAFT - {E.UNIT}) | RAMP | BELONGING | SWITCHES | DRAFTING
    | {E.START_OVER, E.STOP, E.CREATE, E.REPLACE}
)  # fmt: skip
EXPECTED: dict[Policy, dict[Status, set[Event]]] = {
    Policy.NATIVE: {
        S.DRAFT: EDITS_OF_A_DRAFT | RAMP | BELONGING | SWITCHES | DRAFTING
        | {E.CREATE, E.REPLACE, E.DELETE, E.START, E.ARCHIVE},
        S.RUNNING: NATIVE_LIVE | {E.PAUSE},
        S.PAUSED: NATIVE_LIVE | {E.RESUME},
        S.STOPPED: {E.NAME} | BELONGING | SWITCHES | DRAFTING
        | {E.CREATE, E.REPLACE, E.DELETE, E.ARCHIVE},
        S.ARCHIVED: {
            E.NAME, E.LAYER_UP, E.LAYER_DOWN, E.CREATE, E.REPLACE, E.DELETE, E.RESTORE,
        },
    },
    Policy.AUTH0: {
        S.DRAFT: EDITS_OF_A_DRAFT | RAMP | {E.CREATE, E.DELETE, E.START},
        S.RUNNING: {E.NAME, E.ENROLMENT_UP, E.PAUSE, E.STOP},
        S.PAUSED: {
            E.NAME, E.TREATMENTS, E.ALLOCATIONS, E.WEIGHTS_UP, E.WEIGHTS_DOWN,
            E.RESUME, E.STOP, E.DELETE,
        },
        S.STOPPED: {E.NAME, E.ARCHIVE, E.DELETE},
        S.ARCHIVED: {E.DELETE},
    },
    Policy.LAUNCHDARKLY: {
        S.DRAFT: EDITS_OF_A_DRAFT | BELONGING | DRAFTING | {E.CREATE, E.START, E.ARCHIVE},
        S.RUNNING: {E.NAME, E.LAYER_UP, E.START_OVER, E.STOP} | DRAFTING,
        S.PAUSED: {E.NAME, E.LAYER_UP, E.START_OVER, E.STOP} | DRAFTING,
        S.STOPPED: {E.NAME, E.LAYER_UP, E.LAYER_DOWN, E.RESHUFFLE, E.ARCHIVE},
        S.ARCHIVED: {E.NAME, E.LAYER_DOWN, E.RESTORE},
    },
    Policy.CONFIDENCE: {
        S.DRAFT: EDITS_OF_A_DRAFT | RAMP | BELONGING | SWITCHES
        | {E.RESHUFFLE, E.CREATE, E.DELETE, E.START},
        S.RUNNING: {
            E.NAME, E.WEIGHTS_UP, E.ENROLMENT_UP, E.LAYER_UP, E.OVERRIDES, E.INTAKE, E.STOP,
            E.PAUSE,
        },
        S.PAUSED: {
            E.NAME, E.WEIGHTS_UP, E.ENROLMENT_UP, E.LAYER_UP, E.OVERRIDES, E.INTAKE, E.STOP,
            E.RESUME,
        },
        S.STOPPED: {E.NAME, E.LAYER_UP, E.LAYER_DOWN, E.DELETE},
        S.ARCHIVED: set(),
    },
}  # fmt: skip

CELLS = [(policy, at, event) for policy in Policy for at in Status for event in Event]


@pytest.mark.parametrize(("policy", "at", "event"), CELLS)
def test_the_table_says_what_may_follow_what(policy: Policy, at: Status, event: Event) -> None:
    assert lifecycle.allows(policy, event, at) == (event in EXPECTED[policy][at])


# The same cells by really doing it: an experiment at the status, and a command that is the event.

HALF = Reservation("other", share_ppm=500_000)


def standing(at: Status, event: Event) -> Catalog:
    """A catalog whose experiment `checkout` stands at the status, ready for the event."""
    state = State.STOPPED if at is S.ARCHIVED else State(at)
    runs = [iteration(state, reshuffle=True, enrolment_ppm=500_000)]
    if event is E.START_OVER:
        runs.append(iteration(State.DRAFT, 2))
    layered = event in (E.LAYER_UP, E.LAYER_DOWN)
    checkout = Experiment(
        "checkout", tuple(runs), layer="pages" if layered else None, archived=at is S.ARCHIVED
    )
    nouns = [FLAG, Segment("nordics"), Holdout("q4", "", 50_000), checkout]
    if layered:
        nouns.append(Layer("pages", "", reservations=(Reservation("checkout", share_ppm=1000),)))
    return apply(EMPTY, [c.Create(noun) for noun in nouns]).catalog


NARROW = replace(EVERYONE, weights=(("control", 40), ("green", 50)), slots=())
COMMANDS: dict[Event, Command] = {
    E.REPLACE: c.Replace(Experiment("checkout", (iteration(State.STOPPED, 7),))),
    E.DELETE: c.Delete("experiment", "checkout"),
    E.START: c.StartIteration("checkout", "why"),
    E.START_OVER: c.StartIteration("checkout", "why"),
    E.PAUSE: c.PauseIteration("checkout"),
    E.RESUME: c.ResumeIteration("checkout"),
    E.STOP: c.EndIteration("checkout", "control", "why"),
    E.ARCHIVE: c.ArchiveExperiment("checkout"),
    E.RESTORE: c.RestoreExperiment("checkout"),
    E.CARRY_OVER: c.DraftIteration("checkout", iteration(enrolment_ppm=1)),
    E.RESHUFFLE: c.DraftIteration("checkout", iteration(enrolment_ppm=1, reshuffle=True)),
    E.NAME: c.Rename("experiment", "checkout", "The checkout"),
    E.UNIT: c.SetUnit("checkout", "account"),
    E.TREATMENTS: c.SetTreatments("checkout", TREATMENTS, "green"),
    E.ALLOCATIONS: c.SetAllocations("checkout", (NARROW,)),
    E.WEIGHTS_UP: c.SetWeights("checkout", "narrow", (("control", 50), ("green", 50)), 100),
    E.WEIGHTS_DOWN: c.SetWeights("checkout", "everyone", (("control", 49), ("green", 51)), 100),
    E.AUDIENCE: c.SetAudience("checkout", "nordics"),
    E.ENROLMENT_UP: c.SetEnrolment("checkout", 500_001),
    E.ENROLMENT_DOWN: c.SetEnrolment("checkout", 499_999),
    E.LAYER_UP: c.Reserve("pages", "checkout", 1001),
    E.LAYER_DOWN: c.Reserve("pages", "checkout", 999),
    E.HOLDOUT: c.SetHoldout("checkout", "q4"),
    E.OVERRIDES: c.SetOverrides("checkout", (("u", "green"),)),
    E.KEEPING: c.SetKeeping("checkout", keeps_assignments=True, ignore_targeting=False),
    E.INTAKE: c.SetIntake("checkout", open=False),
}
# What is already so is granted, and does nothing.
ALREADY = {
    (S.RUNNING, E.RESUME), (S.PAUSED, E.PAUSE), (S.ARCHIVED, E.ARCHIVE),
    (S.DRAFT, E.RESTORE), (S.RUNNING, E.RESTORE), (S.PAUSED, E.RESTORE), (S.STOPPED, E.RESTORE),
}  # fmt: skip
# Starting is starting over where one runs, and only there.
ELSEWHERE = {
    (S.RUNNING, E.START), (S.PAUSED, E.START),
    (S.DRAFT, E.START_OVER), (S.STOPPED, E.START_OVER), (S.ARCHIVED, E.START_OVER),
}  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "at", "event"),
    [(p, at, e) for p, at, e in CELLS if e in COMMANDS and (at, e) not in ELSEWHERE],
)
def test_apply_does_what_the_table_says(policy: Policy, at: Status, event: Event) -> None:
    before = standing(at, event)
    if event is E.WEIGHTS_UP:
        gap = replace(NARROW, key="narrow")
        runs = before.experiments["checkout"].iterations
        runs = (replace(runs[0], allocations=(gap,)),)
        replaced = c.Replace(replace(before.experiments["checkout"], iterations=runs))
        before = apply(before, [replaced]).catalog
    if (at, event) in ALREADY:
        assert apply(before, [COMMANDS[event]], policy).catalog is before
    elif event in EXPECTED[policy][at]:
        assert apply(before, [COMMANDS[event]], policy).catalog is not before
    else:
        with pytest.raises(InvalidChange) as refusal:
            apply(before, [COMMANDS[event]], policy)
        word = "archived" if at is S.ARCHIVED else lifecycle.called(policy, at)
        assert f"while {word}" in refusal.value.message
        assert event in refusal.value.message
        assert "checkout" in refusal.value.path


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("at", Status)
def test_an_experiment_is_created_where_the_table_says(policy: Policy, at: Status) -> None:
    state = State.STOPPED if at is S.ARCHIVED else State(at)
    flagged = apply(EMPTY, [c.Create(FLAG)]).catalog
    create = c.Create(Experiment("checkout", (iteration(state),), archived=at is S.ARCHIVED))
    if E.CREATE in EXPECTED[policy][at]:
        apply(flagged, [create], policy)
    else:
        with pytest.raises(InvalidChange, match="be created"):
            apply(flagged, [create], policy)


@pytest.mark.parametrize(
    ("event", "leads_to"),
    [
        (E.START, State.RUNNING),
        (E.PAUSE, State.PAUSED),
        (E.RESUME, State.RUNNING),
        (E.STOP, State.STOPPED),
    ],
)
def test_a_transition_leads_where_it_says(event: Event, leads_to: State) -> None:
    origin = {E.START: S.DRAFT, E.PAUSE: S.RUNNING, E.RESUME: S.PAUSED, E.STOP: S.PAUSED}
    after = apply(standing(origin[event], event), [COMMANDS[event]]).catalog
    assert after.experiments["checkout"].current.state is leads_to


def test_each_policy_has_its_words_for_the_statuses() -> None:
    words = {policy: [lifecycle.called(policy, at) for at in Status] for policy in Policy}
    assert words == {
        Policy.NATIVE: ["draft", "running", "paused", "stopped", "archived"],
        Policy.AUTH0: ["draft", "active", "paused", "completed", "archived"],
        Policy.LAUNCHDARKLY: ["not_started", "running", "running", "stopped", "stopped"],
        Policy.CONFIDENCE: ["draft", "live", "paused", "ended", "ended"],
    }


def test_a_field_can_be_edited_where_all_its_events_are_allowed() -> None:
    fields: lifecycle.Fields = {
        "name": (Event.NAME,),
        "treatments": lifecycle.STRUCTURE,
        "enrolment": (Event.ENROLMENT_UP, Event.ENROLMENT_DOWN),
    }
    assert {at: lifecycle.editable(Policy.AUTH0, fields, at) for at in Status} == {
        S.DRAFT: ("name", "treatments", "enrolment"),
        S.RUNNING: ("name",),
        S.PAUSED: ("name", "treatments"),
        S.STOPPED: ("name",),
        S.ARCHIVED: (),
    }


@pytest.mark.parametrize(
    ("policy", "transitions"),
    [
        (Policy.NATIVE, [("running", "archived"), ("paused", "stopped"), ("running", "stopped"),
                         ("archived",), ("stopped",)]),
        (Policy.AUTH0, [("active",), ("paused", "completed"), ("active", "completed"),
                        ("archived",), ()]),
        (Policy.LAUNCHDARKLY, [("running", "stopped"), ("stopped",), ("stopped",), (), ()]),
        (Policy.CONFIDENCE, [("live",), ("paused", "ended"), ("live", "ended"), (), ()]),
    ],
)  # fmt: skip
def test_possible_transitions_are_words_for_other_statuses(
    policy: Policy, transitions: list[tuple[str, ...]]
) -> None:
    assert [lifecycle.possible_transitions(policy, at) for at in Status] == transitions


def test_every_status_can_be_reached_and_only_archived_ends_auth0() -> None:
    for policy in (Policy.NATIVE, Policy.AUTH0):
        reached = {word for at in Status for word in lifecycle.possible_transitions(policy, at)}
        assert reached | {"draft"} == {lifecycle.called(policy, at) for at in Status}
