"""A follower that saw no change finds what differs, and looks at nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change import impact
from allotment.change.apply import apply
from allotment.change.impact import touched_between
from allotment.change.references import with_users
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.flag import FlagState
from allotment.model.plain import from_plain, to_plain
from allotment.model.segment import Clause, Operator, Segment
from nouns import FLAG, catalog, changed, experiment, iteration

RULES = (Clause(("country",), Operator.IN, ("SE",)),)

base = catalog(
    Segment("nordics"),
    experiment("a", iteration(audience="nordics")),
    experiment("b"),
)


@pytest.mark.parametrize(
    ("commands", "experiments", "flags"),
    [
        ([], set(), set()),
        ([c.SetRules("nordics", RULES)], {"a"}, set()),
        ([c.SwitchFlag("button", FlagState.OFF)], {"a", "b"}, {"button"}),
        ([c.SetVariations("button", FLAG.variations, "green")], set(), {"button"}),
        ([c.EndIteration("b"), c.Delete("experiment", "b")], {"b"}, set()),
        ([c.Create(experiment("c"))], {"c"}, set()),
        ([c.Rename("experiment", "a", "A"), c.Keep("flag", "button", "a/b", "1")], set(), set()),
        ([c.Keep("experiment", "a", "auth0/authentication_flow", "1")], set(), set()),
        ([c.PauseIteration("a"), c.SetEnrolment("b", 1), c.ResumeIteration("a")], {"b"}, set()),
    ],
)
def test_what_differs_is_found_whether_or_not_the_catalogs_share_anything(
    commands: list[c.Command], experiments: set[str], flags: set[str]
) -> None:
    new = changed(base, *commands) if commands else base
    for follower in (base, read_anew(base)):
        assert touched_between(follower, new) == (experiments, flags)


def read_anew(some: Catalog) -> Catalog:
    """The same catalog, of which no object is the same."""
    return with_users(from_plain(Catalog, to_plain(some)))


def test_everything_is_new_to_who_had_nothing() -> None:
    assert touched_between(EMPTY, base) == ({"a", "b"}, {"button"})
    assert touched_between(base, EMPTY) == ({"a", "b"}, {"button"})


def test_other_times_of_the_same_run_touch_nothing() -> None:
    old = base.experiments["a"]
    dated = replace(old, iterations=(replace(old.current, started_at=1),))
    change = apply(base, [c.Replace(dated)])
    assert change.catalog is not base
    assert (change.touched, touched_between(base, change.catalog)[0]) == (frozenset(), frozenset())


def test_what_the_catalogs_share_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    large = catalog(*(experiment(f"e{number}") for number in range(2_000)))
    new = changed(large, c.SetEnrolment("e7", 5))
    looked: list[object] = []

    def same(one: object, other: object) -> bool:
        looked.append(one)
        return one == other

    monkeypatch.setattr(impact, "same", same)
    assert touched_between(large, new) == ({"e7"}, frozenset())
    assert len(looked) < 100, "one shard of 256"
