"""Laws that hold for any catalog and any commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.check import check_catalog
from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.change.impact import Change, touched_between
from allotment.change.lifecycle import Policy
from allotment.change.reallocate import moved
from allotment.change.references import with_users
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.plain import from_plain, to_plain
from allotment.model.segment import Sample
from allotment.model.slots import Slots, size, subtract
from strategies import catalogs, changes, plain, targets

steady = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@steady
@given(catalogs(), st.data())
def test_whatever_is_applied_the_catalog_satisfies_everything(
    catalog: Catalog, data: st.DataObject
) -> None:
    policy = data.draw(st.sampled_from((Policy.NATIVE, *Policy)))
    for _ in range(data.draw(st.integers(1, 5))):
        before = plain(catalog)
        commands = data.draw(st.lists(changes(catalog), min_size=1, max_size=3))
        outcome = attempt(catalog, commands, policy)
        if isinstance(outcome, AllotmentError):
            assert outcome.path.startswith("$."), outcome
            assert outcome.command in range(len(commands))
            assert plain(catalog) == before, "nothing happens where one command fails"
        else:
            check_catalog(outcome.catalog)
            assert outcome.catalog.users == with_users(outcome.catalog).users
            assert_told(catalog, outcome)
            catalog = outcome.catalog


def attempt(
    catalog: Catalog, commands: Iterable[Command], policy: Policy = Policy.NATIVE
) -> Change | AllotmentError:
    try:
        return apply(catalog, commands, policy)
    except AllotmentError as error:
        return error


def assert_told(old: Catalog, change: Change) -> None:
    """The change says what differs: the revision, whom to compile again, what moved."""
    new = change.catalog
    assert touched_between(old, new) == (change.touched, change.flags)
    assert (new is old) == (plain(new) == plain(old))
    assert new.revision == old.revision + (new is not old)
    for key in {*old.experiments, *new.experiments} - change.touched:
        assert depends_on(key, old) == depends_on(key, new), "an untouched plan is the same"
    told = {(move.experiment, move.allocation): move.moved_ppm for move in change.moves}
    for key in set(old.experiments) & set(new.experiments):
        was, now = old.experiments[key].live, new.experiments[key].live
        if was is None or now is None:
            continue
        for name, slots in served(was, now):
            count = moved(*slots) if was.salt == now.salt else 1_000_000
            assert told.pop((key, name), 0) == count
    assert not told


def served(was: Iteration, now: Iteration) -> list[tuple[str, tuple[Slots, Slots]]]:
    """By allocation its slots before and after; a new key takes over from who served the same."""
    before = {one.key: one for one in was.allocations}
    after = {one.key: one for one in now.allocations}
    pairs = [(key, (before.pop(key).slots, after.pop(key).slots)) for key in {*before} & {*after}]
    for new in after.values():
        for old in before.values():
            if (old.segment, old.fallback) == (new.segment, new.fallback):
                pairs.append((new.key, (before.pop(old.key).slots, new.slots)))
                break
        else:
            pairs.append((new.key, ((), new.slots)))
    return pairs + [(old.key, (old.slots, ())) for old in before.values()]


def depends_on(key: str, catalog: Catalog) -> list[object]:
    """Everything that decides the experiment's assignments, labels aside, found the slow way."""
    experiment = catalog.experiments.get(key)
    if experiment is None:
        return []
    used = [name for name, keys in catalog.users.items() if key in keys]
    segments = [catalog.segments[name[8:]] for name in used if name.startswith("segment:")]
    flags = [catalog.flags[name[5:]] for name in used if name.startswith("flag:")]
    layer = catalog.layers.get(experiment.layer or "")
    drawn = [catalog.layers[name[6:]] for name in used if name.startswith("layer:")]
    holdout = catalog.holdouts.get(experiment.holdout or "")
    claims = {
        unit
        for other in catalog.experiments.values()
        if other is not experiment and other.unit == experiment.unit
        # What is put away has no units: it takes none from others, and none are taken from it.
        if not (other.archived or experiment.archived)
        if are_apart(experiment, other, catalog)
        for unit, _ in other.overrides
    }
    reserved = [r for r in layer.reservations if r.experiment == key] if layer else []
    return [
        repr(unlabelled(experiment)),
        [repr(replace(segment, name="", description="", kept=())) for segment in segments],
        [(flag.key, flag.state) for flag in flags],
        [(each.key, each.salt, each.unit) for each in drawn],
        reserved,
        (holdout.salt, holdout.unit, holdout.share_ppm) if holdout else None,
        claims,
    ]


def are_apart(one: Experiment, other: Experiment, catalog: Catalog) -> bool:
    """Whether a layer keeps the two from sharing a unit."""
    places = [place_of(each, catalog) for each in (one, other)]
    if places[0][0] is None or places[0][0] != places[1][0]:
        return False
    samples = [sample for _, sample in places if sample is not None]
    if len(samples) < 2:
        return True
    return one.current.audience != other.current.audience and samples[0].excludes(samples[1])


def place_of(experiment: Experiment, catalog: Catalog) -> tuple[str | None, Sample | None]:
    """The layer that the experiment is in, and the sample by which it is."""
    if experiment.layer is not None:
        return experiment.layer, None
    audience = catalog.segments.get(experiment.current.audience or "")
    sample = audience.sample if audience else None
    return (sample.layer if sample else None), sample


def unlabelled(experiment: Experiment) -> Experiment:
    runs = (replace(one, started_at=None, ended_at=None) for one in experiment.iterations)
    return replace(experiment, name="", description="", kept=(), iterations=tuple(runs))


def said_by_no_command(refusal: AllotmentError) -> bool:
    """The two rules that no command gets around while an iteration stays live."""
    rules = ("keeps assignments and gives up no slots", "is live and keeps its")
    return any(rule in refusal.message for rule in rules)


@steady
@given(catalogs(), catalogs())
def test_a_difference_leads_to_its_target(old: Catalog, new: Catalog) -> None:
    reached = attempt(old, diff(old, new))
    if isinstance(reached, AllotmentError):
        assert said_by_no_command(reached)
    else:
        assert plain(reached.catalog) == plain(new)
        assert diff(reached.catalog, new) == ()


@steady
@given(catalogs(), st.data())
def test_a_difference_leads_to_where_commands_led(catalog: Catalog, data: st.DataObject) -> None:
    goal = catalog
    for _ in range(data.draw(st.integers(1, 4))):
        outcome = attempt(goal, [data.draw(changes(goal))])
        goal = outcome.catalog if isinstance(outcome, Change) else goal
    reached = attempt(catalog, diff(catalog, goal))
    if isinstance(reached, AllotmentError):
        assert said_by_no_command(reached)
    else:
        assert plain(reached.catalog) == plain(goal)


@steady
@given(catalogs(), st.data())
def test_experiments_of_a_layer_never_share_a_bucket(catalog: Catalog, data: st.DataObject) -> None:
    for _ in range(4):
        outcome = attempt(catalog, [data.draw(changes(catalog))])
        catalog = outcome.catalog if isinstance(outcome, Change) else catalog
    for layer in catalog.layers.values():
        edges = sorted(edge for r in layer.reservations for edge in r.ranges)
        assert all(one.stop <= other.start for one, other in pairwise(edges))
        assert {r.experiment for r in layer.reservations} == {
            key for key, one in catalog.experiments.items() if one.layer == layer.key
        }
        sampled = [
            one.sample
            for one in catalog.segments.values()
            if one.sample and one.sample.layer == layer.key
        ]
        for sample in sampled:
            assert size(sample.ranges) == sample.share_ppm
            others = [other.ranges for other in sampled if sample.excludes(other)]
            others = [each for each in others if each is not sample.ranges]
            taken = [*(r.ranges for r in layer.reservations), *others]
            assert subtract(sample.ranges, taken) == sample.ranges


@steady
@given(catalogs(), st.data())
def test_who_saw_no_change_finds_what_it_touched(catalog: Catalog, data: st.DataObject) -> None:
    new, touched, flags = catalog, set[str](), set[str]()
    for _ in range(4):
        outcome = attempt(new, [data.draw(changes(new))])
        if isinstance(outcome, Change):
            new, touched, flags = (
                outcome.catalog,
                touched | outcome.touched,
                flags | outcome.flags,
            )
    for follower in (catalog, read_anew(catalog)):
        assert touched_between(follower, new)[0] <= touched
        assert touched_between(follower, new)[1] <= flags
        for key in touched - touched_between(follower, new)[0]:
            assert depends_on(key, catalog) == depends_on(key, new), "it went there and back"


def read_anew(catalog: Catalog) -> Catalog:
    """The same catalog, of which no object is the same."""
    return with_users(from_plain(Catalog, to_plain(catalog)))


@steady
@given(catalogs())
def test_there_is_no_difference_between_a_catalog_and_itself(catalog: Catalog) -> None:
    assert diff(catalog, catalog) == ()


@steady
@given(targets())
def test_what_is_written_by_hand_is_laid_once(target: Catalog) -> None:
    laid = apply(EMPTY, diff(EMPTY, target)).catalog
    check_catalog(laid)
    assert diff(laid, target) == (), "the same file again changes nothing"
