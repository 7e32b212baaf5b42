"""The commands from one catalog to another: the finest there are, in an order that works."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.diff import created, diff
from allotment.errors import InvalidChange, NotFound
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import State
from allotment.model.flag import FlagExperiment, FlagState, Miss
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import Clause, IdList, Operator, Sample, Segment
from allotment.model.slots import Range
from nouns import EVERYONE, FLAG, TREATMENTS, catalog, changed, experiment, iteration
from strategies import catalogs, plain

IS_ONE = Clause(("age",), Operator.IN, (1,))
DRAFT = iteration(State.DRAFT, 2)
SPLIT = (("control", 20), ("green", 80))

base = catalog(
    Segment("nordics"),
    Segment("ones", rules=(IS_ONE,)),
    Holdout("q4", "", 50_000),
    Layer("pages", "", reservations=(Reservation("checkout", share_ppm=1000),)),
    experiment(layer="pages"),
    experiment("draft", iteration(State.DRAFT)),
    Segment("sampled", sample=Sample(1000, "pages", ("a",))),
    experiment("paused", iteration(State.PAUSED)),
    experiment("stopped", iteration(State.STOPPED)),
    experiment("noted", iteration(State.STOPPED), kept=(("auth0/a", "1"),)),
)

# Each of these, applied, is found again as itself.
FINEST: list[list[c.Command]] = [
    [c.Create(experiment("new", iteration(salt="new#1")))],
    [c.Delete("segment", "nordics")],
    [c.Delete("experiment", "draft")],
    [c.EndIteration("paused"), c.Delete("experiment", "paused")],
    [c.Rename("holdout", "q4", "Autumn")],
    [c.Describe("flag", "button", "Its colour")],
    [c.Keep("flag", "button", "auth0/type", '"self"')],
    [c.Keep("experiment", "noted", "auth0/a", None), c.Keep("experiment", "noted", "auth0/b", "2")],
    [c.SetVariations("button", FLAG.variations, "green")],
    [c.SwitchFlag("button", FlagState.OFF)],
    [c.OrderExperiments("button", (FlagExperiment("draft"),))],
    [c.SetRules("ones", (replace(IS_ONE, values=(True,)),))],
    [c.SetMembers("nordics", "user", IdList.of(["u1"]), IdList())],
    [c.SetSample("nordics", Sample(10, ranges=(Range(0, 10),)))],
    [c.SetSample("sampled", None)],
    [c.Keep("catalog", "catalog", "launchdarkly/settings", "{}")],
    [c.OrderExperiments("button", (FlagExperiment("draft", Miss.STOP, "blue"),))],
    [c.Reserve("pages", "checkout", 1001, (Range(0, 1001),))],
    [c.Reserve("pages", "draft", 1000, (Range(1000, 2000),))],
    [c.Release("checkout")],
    [c.SetHoldoutShare("q4", 1)],
    [c.SetHoldout("draft", "q4")],
    [c.SetOverrides("stopped", (("u1", "green"),))],
    [c.SetKeeping("draft", keeps_assignments=True, ignore_targeting=True)],
    [c.SetIntake("checkout", open=False)],
    [c.ArchiveExperiment("stopped")],
    [c.SetTreatments("draft", TREATMENTS, "green", 1)],
    [c.SetWeights("checkout", "everyone", SPLIT, 100, 1)],
    [c.SetAudience("paused", "nordics", 1)],
    [c.SetEnrolment("paused", 500_000, 1)],
    [c.StartIteration("draft")],
    [c.StartIteration("draft", "at last")],
    [c.StartIteration("draft", at=1_782_345_600_007)],
    [c.PauseIteration("checkout")],
    [c.ResumeIteration("paused")],
    [c.EndIteration("checkout", "green", "sold more")],
    [c.EndIteration("checkout", at=1_782_345_600_007)],
    [c.StartIteration("draft", at=5), c.EndIteration("draft", at=7)],
    [c.StartIteration("draft"), c.PauseIteration("draft")],
    [c.SetWeights("draft", "everyone", SPLIT, 100, 1), c.StartIteration("draft")],
]


@pytest.mark.parametrize("commands", FINEST, ids=lambda commands: type(commands[-1]).__name__)
def test_the_finest_commands_are_found(commands: list[c.Command]) -> None:
    goal = changed(base, *commands)
    found = diff(base, goal)
    assert plain(changed(base, *found)) == plain(goal)
    if isinstance(commands[0], c.Create):
        assert [type(command) for command in found] == [c.Create]
    else:
        assert found == tuple(commands)


def test_a_new_iteration_is_drafted_and_started_over_the_old_one() -> None:
    drafted = c.DraftIteration("checkout", replace(DRAFT, enrolment_ppm=5))
    goal = changed(base, drafted, c.StartIteration("checkout", "smaller"))
    found = diff(base, goal)
    assert [type(command) for command in found] == [c.DraftIteration, c.StartIteration]
    assert plain(changed(base, *found)) == plain(goal)


def test_starting_over_says_when_for_both_and_is_found_so() -> None:
    over = c.StartIteration("checkout", "smaller", 7)
    drafted = c.DraftIteration("checkout", replace(DRAFT, enrolment_ppm=5))
    goal = changed(base, drafted, over)
    first, second = goal.experiments["checkout"].iterations
    assert (first.ended_at, second.started_at) == (7, 7)
    assert diff(base, goal)[1:] == (over,)
    assert plain(changed(base, *diff(base, goal))) == plain(goal)


def test_what_ended_some_time_before_it_was_started_over_is_ended_first() -> None:
    goal = changed(
        base,
        c.EndIteration("checkout", at=6),
        c.DraftIteration("checkout", DRAFT),
        c.StartIteration("checkout", "smaller", 7),
    )
    found = diff(base, goal)
    kinds = [type(command) for command in found]
    assert kinds == [c.EndIteration, c.DraftIteration, c.StartIteration]
    assert plain(changed(base, *found)) == plain(goal)


def test_another_time_of_what_has_started_is_said_by_no_finer_command() -> None:
    goal = changed(base, c.PauseIteration("checkout"))
    old = goal.experiments["checkout"]
    later = replace(old, iterations=(replace(old.current, started_at=3),))
    goal = changed(goal, c.Replace(later))
    pause, last = diff(base, goal)
    assert pause == c.PauseIteration("checkout")
    assert isinstance(last, c.Replace)
    assert plain(changed(base, pause, last)) == plain(goal)
    assert apply(changed(base, pause), [last]).touched == frozenset()


def test_what_ended_before_the_next_began_is_ended_first() -> None:
    goal = changed(
        base,
        c.EndIteration("checkout", "green"),
        c.DraftIteration("checkout", DRAFT),
        c.StartIteration("checkout"),
    )
    kinds = [type(command) for command in diff(base, goal)]
    assert kinds == [c.EndIteration, c.DraftIteration, c.StartIteration]


def test_going_back_replaces_what_the_lifecycle_cannot_say() -> None:
    ended = changed(base, c.EndIteration("checkout", "green"))
    (back,) = diff(ended, base)
    assert isinstance(back, c.Replace)
    assert plain(changed(ended, back)) == plain(base)


def test_slots_that_weights_do_not_explain_are_set_exactly() -> None:
    there = c.SetWeights("checkout", "everyone", SPLIT, 100)
    back = c.SetWeights("checkout", "everyone", EVERYONE.weights, 100)
    goal = changed(changed(base, there), back)
    (found,) = diff(base, goal)
    assert found == c.SetAllocations(
        "checkout", goal.experiments["checkout"].current.allocations, 1
    )
    assert plain(changed(base, found)) == plain(goal)


def test_members_move_between_layers_by_release_and_reserve() -> None:
    two = changed(base, c.Create(Layer("other", "")))
    goal = changed(two, c.Release("checkout"), c.Reserve("other", "checkout", 7))
    assert diff(two, goal) == (
        c.Release("checkout"),
        c.Reserve("other", "checkout", 7, (Range(0, 7),)),
    )


def test_everything_can_be_deleted_and_created_again() -> None:
    assert plain(changed(base, *diff(base, EMPTY))) == plain(EMPTY)
    assert plain(changed(EMPTY, *diff(EMPTY, base))) == plain(base)


# A catalog as written by hand: salts "", slots and ranges ().


def handwritten(*experiments: object, layers: tuple[Layer, ...] = ()) -> Catalog:
    return Catalog(
        flags=Keyed([("button", FLAG)]),
        layers=Keyed((layer.key, layer) for layer in layers),
        experiments=Keyed((e.key, e) for e in experiments),
    )


def test_a_file_without_salts_and_slots_means_those_that_are_there() -> None:
    store = changed(EMPTY, *diff(EMPTY, handwritten(experiment())))
    for weights in (SPLIT, (("control", 70), ("green", 30)), EVERYONE.weights):
        allocation = replace(EVERYONE, weights=weights)
        target = handwritten(experiment("checkout", iteration(allocations=(allocation,))))
        (found,) = diff(store, target)
        assert isinstance(found, c.SetWeights)
        store = changed(store, found)
        assert diff(store, target) == ()


def test_a_file_without_a_salt_means_the_one_that_is_there() -> None:
    salted = changed(EMPTY, *diff(EMPTY, handwritten(experiment("checkout", iteration(salt="x")))))
    assert diff(salted, handwritten(experiment())) == ()


def test_a_share_in_a_file_keeps_the_buckets_that_are_there() -> None:
    def shares(checkout: int, search: int) -> Catalog:
        layer = Layer(
            "pages",
            "",
            reservations=(
                Reservation("checkout", share_ppm=checkout),
                Reservation("search", share_ppm=search),
            ),
        )
        members = (experiment(layer="pages"), experiment("search", layer="pages"))
        return handwritten(*members, layers=(layer,))

    store = changed(EMPTY, *diff(EMPTY, shares(400_000, 600_000)))
    assert diff(store, shares(400_000, 600_000)) == ()
    assert diff(store, shares(600_000, 400_000)) == (
        c.Reserve("pages", "search", 400_000),
        c.Reserve("pages", "checkout", 600_000),
    )
    swapped = changed(store, *diff(store, shares(600_000, 400_000)))
    assert [r.ranges for r in swapped.layers["pages"].reservations] == [
        (Range(0, 400_000), Range(800_000, 1_000_000)),
        (Range(400_000, 800_000),),
    ]


def test_ranges_that_a_file_gives_are_reserved_exactly() -> None:
    ranges = (Range(0, 1001),)
    layer = Layer("pages", "", reservations=(Reservation("checkout", ranges),))
    store = changed(base, c.Delete("experiment", "draft"))
    found = diff(store, replace(store, layers=Keyed([("pages", layer)])))
    assert found == (c.Reserve("pages", "checkout", 1001, ranges),)


def test_a_replacement_is_left_only_what_finer_commands_cannot_say() -> None:
    old = base.experiments["checkout"]
    run = replace(old.current, justification="asked for", enrolment_ppm=100_000)
    goal = replace(base, experiments=base.experiments.change(
        {"checkout": replace(old, iterations=(run,), intake_open=False)}))  # fmt: skip
    *finest, last = diff(base, goal)
    assert finest == [c.SetEnrolment("checkout", 100_000, 1), c.SetIntake("checkout", open=False)]
    assert isinstance(last, c.Replace)
    assert plain(changed(base, *finest, last)) == plain(goal)


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED])
@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("unit", experiment(unit="device")),
        ("salt", experiment("checkout", iteration(salt="other"))),
    ],
)
def test_no_difference_gets_around_what_a_live_iteration_keeps(word, instead, state) -> None:
    store = catalog(experiment("checkout", iteration(state)))
    goal = replace(store, experiments=Keyed([("checkout", instead)]))
    with pytest.raises(InvalidChange, match="stop it and start a reshuffled iteration") as refusal:
        apply(store, diff(store, goal))
    assert refusal.value.path == f"$.experiments.checkout.{word}"
    stopped = changed(store, c.EndIteration("checkout"))
    back = diff(stopped, replace(goal, revision=1))
    assert apply(stopped, back).catalog.experiments["checkout"].live, "rolling back stays possible"


def test_a_target_that_cannot_be_laid_is_refused_with_its_place() -> None:
    wrong = replace(EVERYONE, weights=(("control", 50), ("red", 50)))
    with pytest.raises(NotFound) as refusal:
        diff(base, handwritten(experiment("checkout", iteration(allocations=(wrong,)))))
    assert refusal.value.path == "$.experiments.checkout.allocations[0].weights"
    gone = Layer("pages", "", reservations=(Reservation("gone", share_ppm=1),))
    with pytest.raises(NotFound) as refusal:
        diff(base, handwritten(layers=(gone,)))
    assert refusal.value.path == "$.layers.pages.reservations.gone"


def test_no_difference_gets_around_the_rule_of_kept_assignments() -> None:
    keeping = changed(
        base, c.SetKeeping("checkout", keeps_assignments=True, ignore_targeting=False)
    )
    shrunk = changed(base, c.Reserve("pages", "checkout", 1))
    goal = changed(shrunk, c.SetKeeping("checkout", keeps_assignments=True, ignore_targeting=False))
    with pytest.raises(InvalidChange, match="gives up no slots"):
        apply(keeping, diff(keeping, goal))


@given(target=catalogs())
def test_what_is_created_is_what_the_commands_from_nothing_make(target: Catalog) -> None:
    applied = apply(EMPTY, diff(EMPTY, target))
    made = created(target)
    assert made == applied
    assert (plain(made.catalog), made.catalog.users) == (
        plain(applied.catalog),
        applied.catalog.users,
    )


def test_what_cannot_be_created_is_refused_in_the_words_of_its_command() -> None:
    astray = experiment(layer="nowhere"), experiment("lost", iteration(audience="nowhere"))
    for noun in astray:
        target = replace(
            EMPTY, experiments=Keyed([("first", experiment("first")), (noun.key, noun)])
        )
        with pytest.raises(InvalidChange) as refused:
            created(target)
        with pytest.raises(InvalidChange) as expected:
            apply(EMPTY, diff(EMPTY, target))
        assert str(refused.value) == str(expected.value)
        assert refused.value.command == expected.value.command
