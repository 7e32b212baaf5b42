"""Who moves when an experiment is changed, counted over all 1,000,000 buckets."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from allotment.change.apply import apply
from allotment.change.commands import (
    Command,
    DraftIteration,
    EndIteration,
    PauseIteration,
    Rename,
    ResumeIteration,
    SetEnrolment,
    SetWeights,
    StartIteration,
)
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.limits import BUCKETS
from laws.buckets import ALL, Buckets, Codes, Reasons, deal
from laws.running import after, named, running

SHUFFLED: list[Buckets] = [np.random.default_rng(seed).permutation(ALL) for seed in range(2)]


def _random_weights(rng: Random, treatments: int, total: int) -> list[int]:
    """Weights of at most `total`: what lies after the last cut is a gap, if there is one."""
    cuts = sorted(rng.randint(0, total) for _ in range(treatments))
    if rng.random() < 0.5:
        cuts[-1] = total
    return [stop - start for start, stop in zip([0, *cuts], cuts, strict=False)]


def _dealt(catalog: Catalog) -> Codes:
    """The treatment of every bucket, in order; -1 in the gap."""
    return deal(compile_catalog(catalog), "e", treatment=ALL)[0]


@pytest.mark.parametrize("seed", range(6))
def test_a_weight_change_moves_exactly_the_total_variation_and_only_to_what_grows(
    seed: int,
) -> None:
    rng = Random(seed)
    treatments = rng.choice((1, 2, 3, 5, 10))
    total = rng.choice((3, 100, 1_000, 999_983, BUCKETS, 10**12))
    catalog = running("e", _random_weights(rng, treatments, total), total)
    before = _dealt(catalog)
    for _ in range(8):
        weights = _random_weights(rng, treatments, total)
        change = apply(catalog, [SetWeights("e", "all", named(weights), total)])
        catalog = change.catalog
        now = _dealt(catalog)
        # The gap is one more treatment: as index -1 it is the last of the counts.
        sizes = np.array(
            [
                np.bincount(codes % (treatments + 1), minlength=treatments + 1)
                for codes in (before, now)
            ]
        )
        growth = np.diff(sizes, axis=0)[0]
        moved = before != now
        assert moved.sum() == growth.clip(min=0).sum()
        assert (growth[before[moved]] < 0).all()
        assert (growth[now[moved]] > 0).all()
        assert sum(move.moved_ppm for move in change.moves) == moved.sum()
        exact = np.array([*weights, total - sum(weights)]) * (BUCKETS / total)
        assert (abs(sizes[1] - exact) < 1).all()
        before = now


def _ramped(catalog: Catalog, share_ppm: int) -> tuple[Codes, Reasons]:
    """All enrolment buckets against all treatment buckets, both in an order of no meaning."""
    ramped = after(catalog, SetEnrolment("e", share_ppm))
    return deal(compile_catalog(ramped), "e", enrolment=SHUFFLED[0], treatment=SHUFFLED[1])


def test_raising_the_enrolment_share_moves_no_enrolled_unit() -> None:
    catalog = running("e", (30, 50), 100, enrolment_ppm=0)
    rng = Random(3)
    shares = sorted([0, 1, BUCKETS - 1, BUCKETS, *(rng.randint(0, BUCKETS) for _ in range(8))])
    out = REASONS.index(Reason.NOT_ENROLLED)
    codes, reasons = _ramped(catalog, 0)
    assert (reasons == out).all()
    for share in shares:
        wider_codes, wider_reasons = _ramped(catalog, share)
        enrolled = reasons != out
        assert (wider_reasons != out).sum() == share
        assert np.array_equal(wider_codes[enrolled], codes[enrolled])
        assert np.array_equal(wider_reasons[enrolled], reasons[enrolled])
        codes, reasons = wider_codes, wider_reasons


def test_lowering_the_enrolment_share_is_the_exact_inverse_of_raising_it() -> None:
    catalog = running("e", (1, 2), 3, enrolment_ppm=250_000)
    raised = after(catalog, SetEnrolment("e", 600_000))
    (codes, reasons), (codes_again, reasons_again) = (
        _ramped(each, 250_000) for each in (catalog, raised)
    )
    assert np.array_equal(codes, codes_again)
    assert np.array_equal(reasons, reasons_again)


def _everything(catalog: Catalog) -> list[list[int]]:
    given = deal(compile_catalog(catalog), "e", enrolment=SHUFFLED[0], treatment=SHUFFLED[1])
    return [each.tolist() for each in given]


CATALOG_OF_MANY_MOVES = after(
    running("e", (20, 30, 40), 100, enrolment_ppm=700_000),
    SetWeights("e", "all", named((40, 5, 5)), 100),
    SetWeights("e", "all", named((33, 33, 34)), 100),
)


@pytest.mark.parametrize(
    "commands",
    [
        [Rename("experiment", "e", "Another name")],
        [PauseIteration("e"), ResumeIteration("e")],
        [SetWeights("e", "all", named((66, 66, 68)), 200)],
    ],
    ids=["rename", "pause and resume", "the same weights in other parts"],
)
def test_these_changes_move_nobody_and_leave_the_fingerprint(commands: list[Command]) -> None:
    before = now = CATALOG_OF_MANY_MOVES
    for command in commands:
        now = after(now, command)
    assert now.revision == before.revision + len(commands)
    assert compile_catalog(now).fingerprint == compile_catalog(before).fingerprint
    assert _everything(now) == _everything(before)


def test_a_new_iteration_without_reshuffle_moves_nobody() -> None:
    before = CATALOG_OF_MANY_MOVES
    again = replace(before.experiments["e"].current, state=State.DRAFT, salt="", reshuffle=False)
    allocations = tuple(replace(each, slots=()) for each in again.allocations)
    draft = DraftIteration("e", replace(again, allocations=allocations))
    now = after(before, EndIteration("e"), draft, StartIteration("e"))
    assert now.experiments["e"].current.number == 2
    assert now.experiments["e"].current.salt == before.experiments["e"].current.salt
    assert _everything(now) == _everything(before)


def test_a_reshuffled_iteration_draws_afresh() -> None:
    before = CATALOG_OF_MANY_MOVES
    again = replace(before.experiments["e"].current, state=State.DRAFT, salt="", reshuffle=True)
    now = after(before, EndIteration("e"), DraftIteration("e", again), StartIteration("e"))
    assert now.experiments["e"].current.salt != before.experiments["e"].current.salt


def _drafted(catalog: Catalog, weights: list[int], total: int, *, reshuffle: bool) -> Catalog:
    """A new iteration with these weights, started over the one that runs."""
    current = catalog.experiments["e"].current
    dealt = replace(current.allocations[0], weights=named(weights), total=total, slots=())
    draft = replace(current, allocations=(dealt,), salt="", reshuffle=reshuffle)
    return after(catalog, DraftIteration("e", draft), StartIteration("e", "other weights"))


@pytest.mark.parametrize("seed", range(3))
def test_growing_treatments_below_the_whole_moves_nobody(seed: int) -> None:
    """As percentages do that sum to less than 100: live, and by a draft that keeps the salt."""
    rng = Random(seed)
    total = rng.choice((100, 10_000))
    weights = [rng.randint(0, total // 20) for _ in range(3)]
    catalog = running("e", weights, total)
    before = _dealt(catalog)
    for _ in range(5):
        free = total - sum(weights)
        weights = [weight + rng.randint(0, free // 3) for weight in weights]
        if rng.random() < 0.5:
            catalog = after(catalog, SetWeights("e", "all", named(weights), total))
        else:
            catalog = _drafted(catalog, weights, total, reshuffle=False)
        now = _dealt(catalog)
        treated = before >= 0
        assert np.array_equal(now[treated], before[treated])
        assert (now >= 0).sum() == BUCKETS // total * sum(weights)
        before = now


@pytest.mark.parametrize("seed", range(3))
def test_a_draft_that_keeps_the_salt_moves_only_the_total_variation_distance(seed: int) -> None:
    rng = Random(seed)
    catalog = running("e", _random_weights(rng, 3, 100), 100)
    before = _dealt(catalog)
    for _ in range(4):
        catalog = _drafted(catalog, _random_weights(rng, 3, 100), 100, reshuffle=False)
        now = _dealt(catalog)
        sizes = [np.bincount(codes % 4, minlength=4) for codes in (before, now)]
        assert (before != now).sum() == (sizes[1] - sizes[0]).clip(min=0).sum()
        before = now


def test_a_draft_that_reshuffles_deals_every_unit_afresh() -> None:
    units, weights = [str(number) for number in range(60_000)], [20, 30, 10]
    before = running("e", weights, 100)
    now = _drafted(before, weights, 100, reshuffle=True)
    dealt = [
        np.asarray(Engine(compile_catalog(catalog)).assign_many("e", units).codes) % 4
        for catalog in (before, now)
    ]
    shares = np.array([*weights, 40]) / 100
    expected = len(units) * np.outer(shares, shares)
    counted = np.zeros((4, 4))
    np.add.at(counted, tuple(dealt), 1)
    # 16 cells that are filled independently: five standard deviations each.
    assert (np.abs(counted - expected) < 5 * expected**0.5).all()
