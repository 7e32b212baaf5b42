"""Samples of a layer: those that exclude each other never share a unit, others meet by chance."""

from __future__ import annotations

from itertools import combinations, product
from random import Random
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from allotment.change.apply import apply
from allotment.change.commands import (
    Command,
    Create,
    Release,
    Reserve,
    SetAudience,
    SetOverrides,
    SetSample,
)
from allotment.compile import Snapshot, compile_catalog, recompile
from allotment.engine import Engine
from allotment.errors import InvalidChange
from allotment.kernel.plan import Plan
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.layer import Layer
from allotment.model.reason import REASONS, Reason
from allotment.model.segment import AllOf, Sample, Segment
from allotment.model.slots import size
from allotment.reference import assign
from laws.buckets import ALL, deal
from laws.running import after, started

# Who excludes whom, by the first letter of a segment: all a the others of them, b everybody's a.
TAGS = {"a": (("a",), ("a",)), "b": ((), ("a",)), "c": (("c",), ())}
SEGMENTS = ("a1", "a2", "b1", "c1")
RESERVED = ("e0", "e1")
SAMPLED = ("e2", "e3", "e4", "e5", "e6")
UNITS = [f"unit-{number}" for number in range(60)]
KEEPERS = ("e1", "e3", "e5")


Buckets: TypeAlias = npt.NDArray[np.bool_]
Known: TypeAlias = tuple[Plan, Buckets]


def _sample(segment: str, share: int) -> Sample:
    tags, exclusive_to = TAGS[segment[0]]
    return Sample(share, "l", tags, exclusive_to)


EVERYBODY = (AllOf(()),)
BASE = after(
    EMPTY,
    Create(Layer("l", "l")),
    *(Create(Segment(key, rules=EVERYBODY, sample=_sample(key, 100_000))) for key in SEGMENTS),
    *(
        command
        for key in (*RESERVED, *SAMPLED)
        for command in started(key, (1, 1), 2, keeps=key in KEEPERS)
    ),
    *(SetAudience(key, SEGMENTS[index % 4]) for index, key in enumerate(SAMPLED)),
)


def _place(catalog: Catalog, key: str) -> str | None:
    """Where the experiment has its units from: "layer" for a reservation, else its sample."""
    experiment = catalog.experiments[key]
    return "layer" if experiment.layer else experiment.current.audience


def _exclude(one: str | None, other: str | None) -> bool:
    """Said anew, by the letters: reservations everyone, a-samples each other, b's the a's."""
    if one is None or other is None:
        return False
    if "layer" in (one, other):
        return True
    return one != other and {one[0], other[0]} in ({"a"}, {"a", "b"})


def _admitted(snapshot: Snapshot, key: str) -> Buckets:
    """The buckets of the layer of which the experiment gives any unit a treatment, kept or not."""
    admitted: Buckets = np.zeros(len(ALL), bool)
    for stored in (None, "t1") if key in KEEPERS else (None,):
        codes, reasons = deal(snapshot, key, stored, layer=ALL)
        expected = Reason.STICKY if stored else Reason.ALLOCATED
        assert {REASONS[code] for code in np.unique(reasons)} <= {expected, Reason.NOT_IN_LAYER}
        admitted |= codes >= 0
    return admitted


def _check_apart(snapshot: Snapshot, known: dict[str, Known]) -> dict[str, Known]:
    """Over all buckets, and unit by unit; `known` are the plans that were swept before."""
    catalog = snapshot.catalog
    keys = [key for key in catalog.experiments if _place(catalog, key) is not None]
    apart = [
        (one, other)
        for one, other in combinations(keys, 2)
        if _exclude(_place(catalog, one), _place(catalog, other))
    ]
    admitted: dict[str, Known] = {}
    for key in keys:
        plan = snapshot.plans[key]
        swept = known.get(key)
        admitted[key] = swept if swept and swept[0] is plan else (plan, _admitted(snapshot, key))
    for one, other in apart:
        assert not (admitted[one][1] & admitted[other][1]).any(), (one, other)
    engine = Engine(snapshot)
    for unit in UNITS:
        answers = engine.assign_all(unit)
        for one, other in apart:
            both = answers[one].treatment is not None and answers[other].treatment is not None
            assert not both, (unit, one, other)
        for key in keys:
            twin, given = assign(catalog, key, unit), answers[key]
            assert (given.treatment, given.reason) == (twin.treatment, twin.reason)
    return admitted


def _random_command(rng: Random) -> Command:
    key, segment = rng.choice((*RESERVED, *SAMPLED)), rng.choice(SEGMENTS)
    share = rng.choice((0, 1, rng.randint(0, 300_000)))
    kind = rng.random()
    if kind < 0.4:
        return SetSample(segment, _sample(segment, share))
    if kind < 0.6:
        return Reserve("l", rng.choice(RESERVED), share)
    if kind < 0.7:
        return Release(rng.choice(RESERVED))
    if kind < 0.8:
        return SetAudience(rng.choice(SAMPLED), segment)
    units = sorted(rng.sample(UNITS, rng.randint(0, 12)))
    return SetOverrides(key, tuple((unit, "t0") for unit in units))


@pytest.mark.parametrize("seed", range(2))
def test_what_excludes_each_other_shares_no_unit_at_any_revision(seed: int) -> None:
    rng = Random(seed)
    catalog, snapshot = BASE, compile_catalog(BASE)
    admitted = _check_apart(snapshot, {})
    done = 0
    while done < 10:
        try:
            change = apply(catalog, [_random_command(rng)])
        except InvalidChange:
            continue
        if change.catalog is catalog:
            continue
        catalog, done = change.catalog, done + 1
        snapshot = recompile(snapshot, catalog, change.touched, change.flags)
        assert snapshot.fingerprint == compile_catalog(catalog).fingerprint
        now = _check_apart(snapshot, admitted)
        for key in set(KEEPERS) & admitted.keys() & now.keys():
            assert not (admitted[key][1] & ~now[key][1]).any(), "a kept unit stays while it runs"
        admitted = now


def test_a_sample_that_grows_keeps_its_buckets_and_one_that_shrinks_gives_up_its_last() -> None:
    catalog, seen = BASE, dict[int, Buckets]()
    for share in (0, 1, 2_000, 2_001, 150_000, 299_999, 150_000, 2_001, 0):
        catalog = after(catalog, SetSample("a1", _sample("a1", share)))
        sample = catalog.segments["a1"].sample
        assert sample is not None
        assert size(sample.ranges) == share
        taken = np.zeros(len(ALL), bool)
        for start, stop in sample.ranges:
            taken[start:stop] = True
        assert all((taken & other).sum() == min(share, known) for known, other in seen.items())
        seen[share] = taken


@pytest.mark.parametrize("share", [100_000, 300_000])
def test_samples_that_do_not_exclude_each_other_meet_about_as_often_as_chance_has_it(
    share: int,
) -> None:
    keys = [f"segment-{number}" for number in range(24)]
    catalog = after(
        EMPTY,
        Create(Layer("l", "l")),
        *(Create(Segment(key, sample=Sample(share, "l"))) for key in keys),
    )
    taken = np.zeros((len(keys), len(ALL)), bool)
    for row, key in zip(taken, keys, strict=True):
        sample = catalog.segments[key].sample
        for start, stop in sample.ranges if sample else ():
            row[start:stop] = True
    shared = [(one & other).sum() for one, other in combinations(taken, 2)]
    # Chunks of 2,000 buckets, drawn without putting back: that many are shared by chance.
    chunks = share / 2_000
    expected = chunks**2 / 500
    spread = (expected * (1 - chunks / 500) * (500 - chunks) / 499) ** 0.5
    assert abs(np.mean(shared) / 2_000 / expected - 1) < 0.03
    assert np.abs(np.array(shared) / 2_000 - expected).max() < 5 * spread
    # Nor does the place in the layer tell: each tenth of it is as full as any other.
    tenths = taken.reshape(len(keys), 10, -1).mean(axis=(0, 2))
    assert np.abs(tenths / (share / len(ALL)) - 1).max() < 0.25


def test_a_draw_of_its_own_tells_nothing_of_another() -> None:
    own = [Create(Segment(key, rules=EVERYBODY, sample=Sample(250_000))) for key in "ab"]
    runs = [command for key in "ef" for command in started(key, (1,), 1)]
    asked = [SetAudience(key, segment) for key, segment in zip("ef", "ab", strict=True)]
    engine = Engine(compile_catalog(after(EMPTY, *own, *runs, *asked)))
    units = 40_000
    ins = [
        np.asarray(engine.assign_many(key, [str(unit) for unit in range(units)]).codes) >= 0
        for key in "ef"
    ]
    for sides in product((True, False), repeat=2):
        share = np.prod([0.25 if side else 0.75 for side in sides])
        count = ((ins[0] == sides[0]) & (ins[1] == sides[1])).sum()
        assert abs(count - units * share) < 5 * (units * share * (1 - share)) ** 0.5
