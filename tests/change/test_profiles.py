"""Profiles in changes: fixed once an iteration starts, and as exact as the platform they are of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.diff import diff
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import Conflict, InvalidChange, InvalidInput
from allotment.model.assignment import REASONS
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Iteration, State
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.profile import NATIVE, Draw
from allotment.model.slots import Range, Slot
from allotment.reference.assign import assign
from nouns import EVERYONE, catalog, changed, experiment, iteration

HALVES = (("control", 1), ("green", 1))
LD = {"profile": "launchdarkly-1", "salt": "checkout.abc"}


def ramped(ppm: int, profile: str = "unleash-rollout-1") -> Iteration:
    return iteration(enrolment_ppm=ppm, enrolment_draw=Draw(profile, "group"))


def test_weights_are_laid_as_the_platform_lays_them() -> None:
    thirds = replace(EVERYONE, weights=(("control", 33_333), ("green", 66_667)), total=100_000)
    made = catalog(experiment("e", iteration(allocations=(thirds,), **LD)))
    slots = made.experiments["e"].current.allocations[0].slots
    assert [slot.stop / 2**60 for slot in slots] == [0.33333, 1.0]


def test_a_change_of_weights_moves_the_fewest_of_its_buckets() -> None:
    made = catalog(experiment("e", iteration(profile="eppo-1", salt="split")))
    change = apply(made, [c.SetWeights("e", "everyone", (("control", 60), ("green", 40)), 100)])
    slots = change.catalog.experiments["e"].current.allocations[0].slots
    assert slots == (
        Slot(0, 5_000, "control"),
        Slot(5_000, 9_000, "green"),
        Slot(9_000, 10_000, "control"),
    )
    assert [move.moved_ppm for move in change.moves] == [100_000]


@pytest.mark.parametrize(
    "fields",
    [
        {"profile": "optimizely-1"},
        {"enrolment_draw": Draw("unleash-rollout-1", "group")},
    ],
    ids=["profile", "enrolment"],
)
def test_what_a_live_iteration_draws_by_stays(fields: dict[str, object]) -> None:
    made = catalog(experiment("e", iteration(profile="eppo-1", salt="split")))
    was = made.experiments["e"]
    new = replace(was, iterations=(replace(was.current, **fields),))
    with pytest.raises(InvalidChange, match="live and keeps its"):
        changed(made, c.Replace(new))


def test_the_next_iteration_carries_the_profile_on_with_the_salt() -> None:
    made = catalog(experiment("e", iteration(**LD)))
    draft = iteration(State.DRAFT, salt="")
    carried = changed(made, c.DraftIteration("e", draft)).experiments["e"].draft
    assert carried is not None
    assert (carried.profile, carried.salt) == ("launchdarkly-1", "checkout.abc")
    afresh = replace(draft, reshuffle=True)
    anew = changed(made, c.DraftIteration("e", afresh)).experiments["e"].draft
    assert anew is not None
    assert (anew.profile, anew.salt) == (NATIVE, "e#2")


@pytest.mark.parametrize(
    ("noun", "message"),
    [
        (experiment("e", iteration(profile="launchdarkly-2")), "there is no profile"),
        (experiment("e", iteration(profile="split-2", salt="e")), "the salt is a seed"),
        (experiment("e", ramped(125_000)), "no whole number of them"),
        (experiment("e", ramped(10_000, "flagd-2")), "it has no shares"),
        (Holdout("h", "s", 1_500, profile="statsig-layer-1"), "no whole number of them"),
        (Layer("l", "s", profile="launchdarkly-1"), "no buckets of whole parts per million"),
        (
            experiment(
                "e",
                iteration(
                    profile="eppo-1",
                    salt="s",
                    allocations=(replace(EVERYONE, slots=(Slot(0, 10_001, "green"),)),),
                ),
            ),
            "lie within 0 and 10,000",
        ),
    ],
)
def test_what_a_profile_cannot_say_is_refused(noun: c.Noun, message: str) -> None:
    with pytest.raises((InvalidInput, InvalidChange), match=message):
        catalog(noun)


def test_where_weights_say_how_many_buckets_there_are_their_total_stays() -> None:
    made = catalog(
        experiment(
            "e", iteration(profile="unleash-variant-1", salt="group", allocations=(EVERYONE,))
        )
    )
    total = made.experiments["e"].current.allocations[0].total
    thirds = (("control", 1), ("green", 2))
    for wanted in (3, total + 1):
        with pytest.raises(InvalidChange, match="how many buckets there are"):
            changed(made, c.SetWeights("e", "everyone", thirds, wanted))
    others = (EVERYONE, Allocation("rest", HALVES, total + 2, priority=0, fallback=True))
    with pytest.raises(InvalidChange, match="weights of one total"):
        changed(made, c.SetAllocations("e", others))


def test_a_layer_of_a_thousand_buckets_reserves_them_by_share_or_exactly() -> None:
    layer = Layer("l", "ns", profile="statsig-layer-1")
    made = catalog(experiment("a"), experiment("b"), layer)
    made = changed(made, c.Reserve("l", "a", 400_000), c.Reserve("l", "b", 600_000))
    assert made.layers["l"].reservations == (
        Reservation("a", (Range(0, 400),)),
        Reservation("b", (Range(400, 1_000),)),
    )
    with pytest.raises(Conflict, match="more of the layer's buckets are needed"):
        changed(made, c.Reserve("l", "a", 401_000))
    with pytest.raises(InvalidInput, match="no whole number"):
        changed(made, c.Reserve("l", "a", 1_500))


def test_a_salt_is_free_under_another_profile_and_taken_under_its_own() -> None:
    one = experiment("one", iteration(salt="s"))
    catalog(one, experiment("two", iteration(salt="s", profile="eppo-1")))
    with pytest.raises(Conflict, match="uses the salt 's' too"):
        catalog(
            experiment("two", iteration(salt="s", profile="eppo-1")),
            experiment("three", iteration(salt="s", profile="eppo-1")),
        )


def mixed() -> Catalog:
    """Every stage by another platform's profile."""
    layer = Layer("l", "exclusion", profile="optimizely-1")
    made = catalog(
        Holdout("h", "holdout-salt", 100_000, profile="statsig-layer-1"),
        layer,
        experiment(
            "e",
            iteration(
                profile="unleash-variant-1",
                salt="group",
                enrolment_ppm=500_000,
                enrolment_draw=Draw("posthog-rollout-1", "flag"),
            ),
            holdout="h",
        ),
        experiment("native"),
    )
    return changed(made, c.Reserve("l", "e", 700_000), c.Reserve("l", "native", 300_000))


def test_every_stage_may_have_a_profile_of_its_own() -> None:
    made = mixed()
    engine = Engine(compile_catalog(made))
    units = [f"user-{n}-é" for n in range(400)]
    reasons = set()
    column = engine.assign_many("e", units)
    for row, unit in enumerate(units):
        expected = assign(made, "e", unit)
        assert engine.assign("e", unit) == expected
        assert engine.assign_all(unit)["e"] == expected
        code = int(column.codes[row])
        treatment = column.treatments[code] if code >= 0 else None
        assert (treatment, REASONS[column.reasons[row]]) == (expected.treatment, expected.reason)
        reasons.add(str(expected.reason))
    assert reasons == {"HELD_OUT", "NOT_IN_LAYER", "NOT_ENROLLED", "ALLOCATED"}
    told = engine.explain("e", units[0])
    assert [check.buckets for check in told.checks if check.buckets] == [
        1_000,
        10_000,
        2**60,
        made.experiments["e"].current.allocations[0].total,
    ]


def test_the_difference_of_two_catalogs_leads_from_one_to_the_other() -> None:
    made = mixed()
    assert apply(EMPTY, diff(EMPTY, made)).catalog.experiments == made.experiments


def test_an_experiment_that_keeps_assignments_may_join_a_layer_that_it_has_whole() -> None:
    made = catalog(
        experiment("e", keeps_assignments=True), Layer("l", "ns", profile="statsig-layer-1")
    )
    assert changed(made, c.Reserve("l", "e", 1_000_000)).experiments["e"].layer == "l"
    with pytest.raises(InvalidChange, match="gives up no slots while it runs"):
        changed(made, c.Reserve("l", "e", 999_000))


def test_slots_that_are_cut_and_change_no_owner_are_no_move() -> None:
    cut = (
        Slot(0, 100, "control"),
        Slot(100, 500_000, "control"),
        Slot(500_000, 1_000_000, "green"),
    )
    made = catalog(experiment("e"))
    assert apply(made, [c.SetAllocations("e", (replace(EVERYONE, slots=cut),))]).moves == ()
