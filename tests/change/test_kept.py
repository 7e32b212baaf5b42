"""What is kept for a vendor's API is carried along and decides nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.change import commands as c
from allotment.change import lifecycle
from allotment.change.apply import apply
from allotment.change.diff import diff
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.lifecycle import Event, Policy, Status
from allotment.compile import compile_catalog, recompile
from allotment.errors import InvalidChange, InvalidInput, NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Segment
from nouns import FLAG, catalog, changed, experiment, iteration
from strategies import PATHS, catalogs, documents, plain

NOUNS = [FLAG, Segment("nordics"), Layer("pages", ""), Holdout("q4", "", 1), experiment()]
KEYS = dict(zip(KINDS, ("button", "nordics", "pages", "q4", "checkout"), strict=True))
FLOW = "auth0/authentication_flow"

base = catalog(*NOUNS[1:])


@pytest.mark.parametrize(("kind", "key"), KEYS.items())
def test_every_kind_of_noun_keeps_sorted_by_path_what_it_is_given(kind: str, key: str) -> None:
    one = changed(base, c.Keep(kind, key, "b/x", "1"), c.Keep(kind, key, "a/x", "null"))
    assert nouns_of(one, kind)[key].kept == (("a/x", "null"), ("b/x", "1"))
    two = changed(one, c.Keep(kind, key, "b/x", "[2]"))
    assert nouns_of(two, kind)[key].kept == (("a/x", "null"), ("b/x", "[2]"))
    none = changed(two, c.Keep(kind, key, "a/x", None), c.Keep(kind, key, "b/x", None))
    assert plain(none) == plain(base)


def test_keeping_what_is_kept_and_dropping_what_is_not_changes_nothing() -> None:
    kept = changed(base, c.Keep("flag", "button", "a/x", "1"))
    assert apply(kept, [c.Keep("flag", "button", "a/x", "1")]).catalog is kept
    assert apply(base, [c.Keep("flag", "button", "a/x", None)]).catalog is base


def test_a_noun_comes_in_with_what_it_keeps_in_any_order() -> None:
    made = changed(base, c.Create(Segment("s", kept=(("b/x", "1"), ("a/x", "2")))))
    assert made.segments["s"].kept == (("a/x", "2"), ("b/x", "1"))


def test_the_space_keeps_values_of_its_own_which_compile_nothing() -> None:
    change = apply(base, [c.Keep("catalog", "catalog", "launchdarkly/settings", "[1]")])
    assert change.catalog.kept == (("launchdarkly/settings", "[1]"),)
    assert change.catalog.revision == base.revision + 1
    assert (change.touched, change.flags) == (frozenset(), frozenset())
    assert diff(change.catalog, base) == (
        c.Keep("catalog", "catalog", "launchdarkly/settings", None),
    )
    with pytest.raises(InvalidInput) as refusal:
        apply(base, [c.Keep("catalog", "catalog", "settings", "1")])
    assert refusal.value.path == "$.kept"


def test_keeping_needs_a_noun() -> None:
    with pytest.raises(NotFound) as refusal:
        apply(base, [c.Keep("flag", "gone", "a/x", "1")])
    assert refusal.value.path == "$.flags.gone"


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("at", Status)
def test_an_experiment_keeps_wherever_it_can_be_renamed(policy: Policy, at: Status) -> None:
    state = State.STOPPED if at is Status.ARCHIVED else State(at)
    archived = at is Status.ARCHIVED
    standing = catalog(Experiment("checkout", (iteration(state),), archived=archived))
    keep = [c.Keep("experiment", "checkout", FLOW, '"all"')]
    if lifecycle.allows(policy, Event.NAME, at):
        assert apply(standing, keep, policy).catalog.experiments["checkout"].kept
    else:
        with pytest.raises(InvalidChange, match="change its name"):
            apply(standing, keep, policy)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "experiment"])
def test_any_other_noun_keeps_under_every_policy(kind: str, policy: Policy) -> None:
    keep = c.Keep(kind, KEYS[kind], "a/x", "1")
    assert nouns_of(apply(base, [keep], policy).catalog, kind)[KEYS[kind]].kept


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(catalogs(), st.data())
def test_keeping_leaves_every_plan_and_the_fingerprint_as_they_are(
    some: Catalog, data: st.DataObject
) -> None:
    snapshot = compile_catalog(some)
    everything = [(kind, key) for kind in KINDS for key in nouns_of(some, kind)]
    keeps = [
        c.Keep(kind, key, path, data.draw(st.none() | documents))
        for kind, key in everything
        for path in data.draw(st.sets(st.sampled_from(PATHS)))
    ]
    change = apply(some, keeps)
    assert (change.touched, change.flags, change.moves) == (frozenset(), frozenset(), ())
    after = recompile(snapshot, change.catalog, change.touched, change.flags)
    assert after.fingerprint == snapshot.fingerprint == compile_catalog(change.catalog).fingerprint
    for key, plan in snapshot.plans.items():
        assert after.plans[key] is plan


def test_a_difference_in_what_is_kept_is_said_path_by_path() -> None:
    keeps = (
        c.Keep("experiment", "checkout", "a/x", "1"),
        c.Keep("experiment", "checkout", "a/y", "2"),
    )
    goal = changed(base, *keeps)
    assert diff(base, goal) == keeps
    assert diff(goal, base) == tuple(
        c.Keep("experiment", "checkout", path, None) for path in ("a/x", "a/y")
    )
