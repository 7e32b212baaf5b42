"""Commands to catalog: all or nothing, and only what changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.impact import Change, Move
from allotment.change.lifecycle import Policy
from allotment.errors import InvalidChange, InvalidInput, NotFound
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, State
from allotment.model.flag import FlagExperiment, FlagState
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import Clause, InSegment, Operator, Segment
from allotment.model.slots import Slot
from nouns import EVERYONE, FLAG, TREATMENTS, catalog, changed, experiment, iteration
from strategies import plain

NORDIC = Clause(("country",), Operator.IN, ("SE", "NO"))
DOUBLED = Clause(("age",), Operator.IN, (1,))


@pytest.fixture(scope="module")
def base() -> Catalog:
    """Three experiments that depend on a noun of each kind; `alone` only on a flag."""
    return catalog(
        Segment("nordics", rules=(NORDIC,)),
        Segment("inner", rules=(InSegment("nordics"),)),
        Holdout("q4", "", 50_000),
        Layer(
            "pages",
            "",
            reservations=(Reservation("a", share_ppm=1000), Reservation("b", share_ppm=1000)),
        ),
        experiment("a", iteration(audience="inner"), layer="pages"),
        experiment("b", layer="pages"),
        experiment("c", holdout="q4"),
        experiment("alone"),
    )


def test_where_one_command_fails_nothing_happens_and_the_error_says_which(base: Catalog) -> None:
    before = plain(base)
    good = c.Rename("experiment", "a", "A")
    for commands, failed in (
        ([good, good, c.PauseIteration("gone"), good], 2),
        ([good, c.SetAudience("b", "gone"), good], 1),
        ([c.SetAudience("b", "gone"), good, c.SetAudience("b", "vanished")], 2),
    ):
        with pytest.raises(NotFound) as refusal:
            apply(base, commands)
        assert refusal.value.command == failed
        assert plain(base) == before


def test_what_is_no_command_is_refused(base: Catalog) -> None:
    with pytest.raises(InvalidInput, match="str is not a command"):
        apply(base, ["rename"])


@pytest.mark.parametrize(
    "command",
    [
        c.Rename("experiment", "a", ""),
        c.Describe("layer", "pages", ""),
        c.SetWeights("a", "everyone", (("green", 50), ("control", 50)), 100),
        c.SetAudience("a", "inner"),
        c.SwitchFlag("button", FlagState.ON),
        c.Reserve("pages", "a", 1000),
        c.Release("alone"),
        c.ResumeIteration("a"),
        c.Replace(
            Layer(
                "pages",
                "",
                reservations=(Reservation("a", share_ppm=1000), Reservation("b", share_ppm=1000)),
            )
        ),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_is_already_so_changes_nothing_at_all(base: Catalog, command: c.Command) -> None:
    assert apply(base, [command]) == Change(base)
    assert apply(base, [command]).catalog is base


def test_the_same_weights_of_another_total_move_nobody(base: Catalog) -> None:
    change = apply(base, [c.SetWeights("a", "everyone", (("control", 5), ("green", 5)), 10)])
    assert change.moves == ()
    (allocation,) = change.catalog.experiments["a"].current.allocations
    assert allocation.slots == base.experiments["a"].current.allocations[0].slots


def test_going_there_and_back_in_one_go_changes_nothing(base: Catalog) -> None:
    change = apply(base, [c.PauseIteration("a"), c.ResumeIteration("a")])
    assert change.catalog is base


def test_a_change_takes_the_next_revision_and_shares_all_else(base: Catalog) -> None:
    new = apply(base, [c.SetIntake("alone", open=False)]).catalog
    assert new.revision == base.revision + 1
    assert new.flags is base.flags
    assert new.layers is base.layers
    assert new.users is base.users
    for key in ("a", "b", "c"):
        assert new.experiments[key] is base.experiments[key]


@pytest.mark.parametrize(
    ("command", "touched"),
    [
        (c.SetIntake("alone", open=False), {"alone"}),
        (c.SetRules("nordics", (DOUBLED,)), {"a"}),
        (c.SetRules("inner", (NORDIC,)), {"a"}),
        (c.SetHoldoutShare("q4", 1), {"c"}),
        (c.Reserve("pages", "b", 2000), {"b"}),
        (c.SetOverrides("a", (("u", "green"),)), {"a", "b"}),
        (c.SwitchFlag("button", FlagState.OFF), {"a", "b", "c", "alone"}),
        (c.Replace(Layer("pages", "salty", reservations=(Reservation("a", share_ppm=1000),
                                                         Reservation("b", share_ppm=1000)))),
         {"a", "b"}),
        (c.Rename("segment", "nordics", "The north"), set()),
        (c.Describe("experiment", "a", "Longer"), set()),
        (c.Rename("holdout", "q4", "Autumn"), set()),
        (c.Rename("layer", "pages", "Pages"), set()),
        (c.SetVariations("button", FLAG.variations, "green"), set()),
    ],
    ids=lambda value: " ".join(sorted(value)) if isinstance(value, set) else type(value).__name__,
)  # fmt: skip
def test_touched_is_whose_assignments_may_differ(
    base: Catalog, command: c.Command, touched: set[str]
) -> None:
    assert apply(base, [command]).touched == touched


def test_a_value_of_another_type_is_another_rule(base: Catalog) -> None:
    one = changed(base, c.SetRules("nordics", (DOUBLED,)))
    for value in (True, 1.0):
        other = apply(one, [c.SetRules("nordics", (replace(DOUBLED, values=(value,)),))])
        assert other.touched == {"a"}
        (clause,) = other.catalog.segments["nordics"].rules
        assert isinstance(clause, Clause)
        assert type(clause.values[0]) is type(value)


def test_a_noun_that_comes_or_goes_is_touched(base: Catalog) -> None:
    assert apply(base, [c.Create(experiment("new"))]).touched == {"new"}
    gone = apply(base, [c.EndIteration("alone"), c.Delete("experiment", "alone")])
    assert gone.touched == {"alone"}
    assert "alone" not in gone.catalog.experiments


def test_flags_are_those_that_resolve_otherwise(base: Catalog) -> None:
    listed = c.OrderExperiments("button", (FlagExperiment("a"),))
    assert apply(base, [listed]).flags == {"button"}
    assert apply(base, [c.Rename("flag", "button", "B")]).flags == frozenset()
    assert apply(EMPTY, [c.Create(FLAG)]).flags == {"button"}


def test_moves_say_how_much_of_each_allocation_moved(base: Catalog) -> None:
    reweighted = apply(base, [c.SetWeights("a", "everyone", (("control", 4), ("green", 6)), 10)])
    assert reweighted.moves == (Move("a", "everyone", 100_000),)
    second = Allocation("second", (("green", 30),), 100, priority=2)
    added = apply(base, [c.SetAllocations("a", (replace(EVERYONE, slots=()), second))])
    assert added.moves == (Move("a", "second", 300_000),)
    assert apply(added.catalog, [c.SetAllocations("a", (EVERYONE,))]).moves == added.moves


def test_another_key_for_the_same_slots_moves_nobody(base: Catalog) -> None:
    (laid,) = base.experiments["a"].current.allocations
    renamed = replace(laid, key="all")
    assert apply(base, [c.SetAllocations("a", (renamed,))]).moves == ()
    swapped = replace(renamed, slots=tuple(replaced(slot) for slot in laid.slots))
    assert apply(base, [c.SetAllocations("a", (swapped,))]).moves == (Move("a", "all", 1_000_000),)


def replaced(slot: Slot) -> Slot:
    return slot._replace(owner="green" if slot.owner == "control" else "control")


def test_an_iteration_that_does_not_run_moves_nobody() -> None:
    drafted = catalog(experiment("a", iteration(State.DRAFT)))
    weights = c.SetWeights("a", "everyone", (("control", 4), ("green", 6)), 10)
    assert apply(drafted, [weights]).moves == ()
    assert apply(drafted, [weights, c.StartIteration("a")]).moves == ()


def test_starting_over_moves_all_with_another_salt_and_the_difference_with_the_same(
    base: Catalog,
) -> None:
    def over(*, reshuffle: bool) -> Change:
        shifted = replace(EVERYONE, weights=(("control", 40), ("green", 60)))
        draft = iteration(allocations=(shifted,), reshuffle=reshuffle)
        return apply(base, [c.DraftIteration("b", draft), c.StartIteration("b", "why")])

    assert over(reshuffle=True).moves == (Move("b", "everyone", 1_000_000),)
    assert over(reshuffle=False).moves == (Move("b", "everyone", 100_000),)


def test_a_removed_treatment_shrinks_to_nothing_and_a_new_one_grows_from_nothing(
    base: Catalog,
) -> None:
    red = replace(TREATMENTS[1], key="red")
    change = apply(
        base,
        [
            c.SetTreatments("a", (TREATMENTS[0], red), "control"),
            c.SetWeights("a", "everyone", (("control", 50), ("red", 50)), 100),
        ],
    )
    assert change.moves == (Move("a", "everyone", 500_000),)
    (allocation,) = change.catalog.experiments["a"].current.allocations
    assert [slot.owner for slot in allocation.slots] == ["control", "red"]


def test_weights_may_come_in_any_order_and_follow_that_of_the_treatments(base: Catalog) -> None:
    new = changed(base, c.SetTreatments("a", TREATMENTS[::-1], "control"))
    (allocation,) = new.experiments["a"].current.allocations
    assert [treatment for treatment, _ in allocation.weights] == ["green", "control"]
    assert allocation.slots == base.experiments["a"].current.allocations[0].slots


def test_commands_may_refer_to_what_a_later_one_creates() -> None:
    made = changed(
        EMPTY,
        c.Create(experiment(layer="pages")),
        c.Create(Layer("pages", "", reservations=(Reservation("checkout", share_ppm=1),))),
        c.Create(replace(FLAG, experiments=(FlagExperiment("checkout"),))),
    )
    assert made.users["flag:button"] == made.users["layer:pages"] == {"checkout"}
    assert made.users["experiment:checkout"] == {"button"}


def test_a_setting_that_an_api_never_allows_says_so(base: Catalog) -> None:
    with pytest.raises(InvalidChange, match="auth0 never allows it"):
        apply(base, [c.SetHoldout("alone", "q4")], Policy.AUTH0)
