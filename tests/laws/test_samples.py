"""Samples of a layer: those that exclude each other never share a unit, others meet by chance."""

from __future__ import annotations

from collections.abc import Sequence
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
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.layer import Layer
from allotment.model.segment import AllOf, Sample, Segment
from allotment.model.slots import Range, size
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

EVERY: Buckets = np.ones(len(ALL), bool)


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


def _laid(catalog: Catalog, keys: Sequence[str]) -> Buckets:
    """A row for each sample, with its buckets."""
    taken = np.zeros((len(keys), len(ALL)), bool)
    for row, key in zip(taken, keys, strict=True):
        sample = catalog.segments[key].sample
        for start, stop in sample.ranges if sample else ():
            row[start:stop] = True
    return taken


def _assert_independent(one: Buckets, other: Buckets, room: Buckets, pairs: int) -> None:
    """Two samples meet as often as they do where each bucket of the one is drawn by chance.

    How many of n buckets of a room of r are among m marked ones is hypergeometric: its mean is
    n m / r, and its variance n (m / r) (1 - m / r) (r - n) / (r - 1). Beyond 6 standard deviations
    lies less than 2e-9 of it, which is 1e-6 for 500 pairs.
    """
    assert pairs <= 500
    n, m, r = (int(each.sum()) for each in (one, other & room, room))
    mean = n * m / r
    spread = (mean * (1 - m / r) * (r - n) / (r - 1)) ** 0.5
    assert abs(int((one & other).sum()) - mean) <= 6 * spread, (n, m, r)


@pytest.mark.parametrize("share", [2_500, 100_000, 300_000, 900_000])
def test_samples_that_do_not_exclude_each_other_meet_as_often_as_chance_has_it(share: int) -> None:
    keys = [f"segment-{number}" for number in range(30)]
    catalog = after(
        EMPTY,
        Create(Layer("l", "l")),
        *(Create(Segment(key, sample=Sample(share, "l"))) for key in keys),
    )
    taken = _laid(catalog, keys)
    apart = [*combinations(taken, 2)]
    for one, other in apart:
        _assert_independent(one, other, EVERY, len(apart))
    # Nor does the place in the layer tell: each tenth of it is as full as any other.
    tenths = taken.reshape(len(keys), 10, -1).mean(axis=(0, 2))
    assert np.abs(tenths / (share / len(ALL)) - 1).max() < 0.25


def test_families_that_exclude_their_own_meet_others_as_often_as_chance_has_it() -> None:
    tags = [f"family-{number}" for number in range(4)]
    families = [[f"{tag}-{number}" for number in range(5)] for tag in tags]
    catalog = after(
        EMPTY,
        Create(Layer("l", "l")),
        *(
            Create(Segment(key, sample=Sample(150_000 + 7 * place, "l", (tag,), (tag,))))
            for place in range(5)
            for tag, family in zip(tags, families, strict=True)
            for key in (family[place],)
        ),
    )
    taken = [_laid(catalog, family) for family in families]
    for one, other in combinations(taken, 2):
        for mine, theirs in product(one, other):
            _assert_independent(mine, theirs, EVERY, 6 * 25)
    assert all(rows.sum(axis=0).max() == 1 for rows in taken)


def test_a_sample_is_laid_beside_whatever_lies_in_its_layer() -> None:
    """Reservations, pieces of before, and families that cross: the ranges stay few enough."""
    chunks = sorted(5 * number % 499 for number in range(50))
    old = tuple(Range(2_000 * chunk, 2_000 * chunk + 2_000) for chunk in chunks)
    tagged = [("a", ("x",)), ("b", ("y",)), ("c", ("z",)), ("d", ("x", "y", "z"))]
    catalog = after(
        EMPTY,
        Create(Layer("l", "l")),
        Create(Segment("old", sample=Sample(100_000, "l", ranges=old))),
        *(Create(Segment(key, sample=Sample(200_000, "l", tags, tags))) for key, tags in tagged),
    )
    for share in (150_000, 600_000, 990_000):
        catalog = after(catalog, SetSample("old", Sample(share, "l")))
        sample = catalog.segments["old"].sample
        assert sample is not None
        assert size(sample.ranges) == share
    first, second = (_laid(catalog, ["old"])[0], _laid(catalog, ["d"])[0])
    assert _laid(catalog, ["a", "d"]).sum(axis=0).max() == 1
    assert abs((first & second).sum() / 198_000 - 1) < 0.01


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
