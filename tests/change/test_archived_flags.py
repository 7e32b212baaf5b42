"""Nothing that runs or is paused sets an archived flag: a rule of the change, whoever makes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.check import check_catalog
from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.change.lifecycle import Policy
from allotment.change.references import with_users
from allotment.dialects import catalogfile
from allotment.errors import InvalidChange
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import State, Treatment
from allotment.model.flag import FlagState
from nouns import FLAG, TREATMENTS, catalog, changed, experiment, iteration

AWAY = c.SwitchFlag("button", FlagState.ARCHIVED)
END = c.EndIteration("checkout", "green")
AWAY_OR_IN_USE = r"is archived, which is final|is not over"
LIVE = [State.RUNNING, State.PAUSED]
OTHER = tuple(Treatment(each.key, sets=(("other", "blue"),)) for each in TREATMENTS)


def used(state: State = State.RUNNING) -> Catalog:
    """An experiment with an iteration in that state, which sets the flag `button`."""
    return catalog(experiment("checkout", iteration(state)))


def away() -> Catalog:
    """The flag is archived, and a draft sets it."""
    return changed(used(State.DRAFT), AWAY)


def with_archived_flag(base: Catalog) -> Catalog:
    """The catalog as an earlier release may have kept it: the flag is archived all the same."""
    flags = base.flags.change({"button": replace(base.flags["button"], state=FlagState.ARCHIVED)})
    return with_users(replace(base, flags=flags))


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("state", LIVE)
def test_a_flag_is_not_archived_under_an_experiment_that_is_not_over(
    policy: Policy, state: State
) -> None:
    """Archiving is final: the experiment would assign nothing and could never be resumed."""
    with pytest.raises(InvalidChange, match="'checkout' uses this flag and is not over") as refused:
        apply(used(state), [AWAY], policy)
    error = refused.value
    assert (error.code, error.path, error.command) == ("flag_in_use", "$.flags.button", 0)
    for first, second in ((END, AWAY), (AWAY, END)):
        over = apply(used(state), [first, second], policy).catalog
        assert over.flags["button"].state is FlagState.ARCHIVED
    for free in (State.DRAFT, State.STOPPED):
        assert apply(used(free), [AWAY], policy).catalog.flags["button"].state is AWAY.state


def test_a_whole_flag_in_the_place_of_another_is_not_archived_either() -> None:
    with pytest.raises(InvalidChange, match="is not over; stop it first"):
        apply(used(), [c.Replace(replace(FLAG, state=FlagState.ARCHIVED))])
    created = [c.Create(replace(FLAG, state=FlagState.ARCHIVED)), c.Create(experiment())]
    with pytest.raises(InvalidChange, match="is not over; stop it first"):
        apply(EMPTY, created)


@pytest.mark.parametrize(
    "commands",
    [
        [c.StartIteration("checkout")],
        [c.Replace(experiment())],
        [c.Create(experiment("another"))],
    ],
    ids=["started", "replaced", "created"],
)
def test_nothing_runs_that_sets_an_archived_flag(commands: list[Command]) -> None:
    with pytest.raises(InvalidChange, match="flag 'button' is archived, which is final") as refused:
        apply(away(), commands)
    assert refused.value.code == "flag_not_on"
    assert refused.value.path.startswith("$.experiments.")


def test_a_running_experiment_takes_up_no_archived_flag() -> None:
    old = replace(FLAG, key="other", state=FlagState.ARCHIVED)
    base = changed(used(), c.Create(old))
    with pytest.raises(InvalidChange, match="flag 'other' is archived, which is final"):
        apply(base, [c.SetTreatments("checkout", OTHER, "control")])


def test_a_draft_beside_what_runs_may_set_what_is_archived_and_does_not_start() -> None:
    base = changed(used(), c.Create(replace(FLAG, key="other")))
    draft = replace(iteration(State.DRAFT, 2), treatments=OTHER)
    over = changed(
        base,
        c.DraftIteration("checkout", draft),
        c.SwitchFlag("other", FlagState.ARCHIVED),
    )
    with pytest.raises(InvalidChange, match="flag 'other' is archived"):
        apply(over, [c.StartIteration("checkout", "next")])


def test_what_an_earlier_release_kept_so_can_be_edited_and_ended() -> None:
    old = with_archived_flag(used())
    named = changed(old, c.Rename("experiment", "checkout", "Checkout"))
    described = changed(named, c.Describe("flag", "button", "Its colour"))
    over = changed(described, c.PauseIteration("checkout"), END)
    assert over.experiments["checkout"].live is None


@pytest.mark.parametrize("state", LIVE)
def test_a_file_ends_the_experiment_and_archives_the_flag_in_one_go(state: State) -> None:
    """Its commands come in the order of a diff, which archives first; and a roll back returns."""
    base = used(state)
    target = changed(base, END, AWAY)
    there, back = diff(base, target), diff(target, base)
    over, again = apply(base, there).catalog, apply(target, back).catalog
    assert replace(over, revision=target.revision) == target
    assert replace(again, revision=base.revision) == base


def test_a_file_with_a_running_experiment_of_an_archived_flag_is_refused() -> None:
    text = catalogfile.show(with_archived_flag(used()))
    assert "state: archived" in text
    for base in (EMPTY, used(), used(State.DRAFT), away()):
        with pytest.raises(InvalidChange, match=AWAY_OR_IN_USE):
            apply(base, catalogfile.read(text, base))
    with pytest.raises(InvalidChange, match=AWAY_OR_IN_USE):
        check_catalog(with_archived_flag(used()))
