"""Two experiments of a layer never share a unit: not in any bucket, not at any revision."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from allotment.change.apply import apply
from allotment.change.commands import Command, Create, Release, Reserve, SetOverrides
from allotment.compile import Snapshot, compile_catalog, recompile
from allotment.engine import Engine
from allotment.errors import InvalidChange
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import EMPTY
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS
from allotment.reference import assign
from laws.buckets import ALL, deal
from laws.running import after, started

KEYS = [f"e{index}" for index in range(5)]
LAYERED = after(
    EMPTY,
    Create(Layer("l", "l")),
    *(command for key in KEYS for command in started(key, (1, 1), 2, keeps=key in "e3 e4")),
)


def _admitted(snapshot: Snapshot, key: str, stored: str | None) -> npt.NDArray[np.bool_]:
    """The layer buckets of which the experiment gives any unit a treatment."""
    codes, reasons = deal(snapshot, key, stored, layer=ALL)
    expected = Reason.STICKY if stored and key in "e3 e4" else Reason.ALLOCATED
    assert {REASONS[code] for code in np.unique(reasons)} <= {expected, Reason.NOT_IN_LAYER}
    admitted: npt.NDArray[np.bool_] = codes >= 0
    return admitted


def _check_disjoint(snapshot: Snapshot) -> None:
    """With treatments kept for everyone in every experiment, and without."""
    layered = [key for key in KEYS if snapshot.catalog.experiments[key].layer == "l"]
    for stored in (None, "t1"):
        owners = sum((_admitted(snapshot, key, stored).astype(int) for key in layered), 0 * ALL)
        assert owners.max() <= 1
    reserved = snapshot.catalog.layers["l"].reservations
    sizes = {r.experiment: sum(stop - start for start, stop in r.ranges) for r in reserved}
    assert {key: _admitted(snapshot, key, None).sum() for key in layered} == sizes


def _random_command(rng: Random) -> Command:
    key = rng.choice(KEYS)
    kind = rng.random()
    if kind < 0.2:
        return Release(key)
    if kind < 0.4:
        units = sorted(rng.sample(["ann", "bo", "cy"], rng.randint(0, 2)))
        return SetOverrides(key, tuple((unit, "t0") for unit in units))
    return Reserve("l", key, rng.choice((0, 1, rng.randint(0, 400_000))))


@pytest.mark.parametrize("seed", range(4))
def test_reservations_are_disjoint_at_every_revision(seed: int) -> None:
    rng = Random(seed)
    catalog, snapshot = LAYERED, compile_catalog(LAYERED)
    done = 0
    while done < 12:
        try:
            change = apply(catalog, [_random_command(rng)])
        except InvalidChange:
            continue
        catalog, done = change.catalog, done + 1
        snapshot = recompile(snapshot, catalog, change.touched, change.flags)
        assert snapshot.fingerprint == compile_catalog(catalog).fingerprint
        _check_disjoint(snapshot)
        _check_units(snapshot)


def _check_units(snapshot: Snapshot) -> None:
    """No unit, overridden or not, gets treatments of two experiments of the layer."""
    engine = Engine(snapshot)
    for unit in ("ann", "bo", "cy", *map(str, range(100))):
        answers = engine.assign_all(unit)
        treated = [
            key
            for key, experiment in snapshot.catalog.experiments.items()
            if experiment.layer == "l" and answers[key].treatment is not None
        ]
        assert len(treated) <= 1, (unit, treated)
        for key in KEYS:
            twin = assign(snapshot.catalog, key, unit)
            given = answers[key]
            assert (given.treatment, given.reason) == (twin.treatment, twin.reason)


def test_two_reservations_cannot_hold_more_than_there_is() -> None:
    half = after(LAYERED, Reserve("l", "e0", BUCKETS // 2))
    full = after(half, Reserve("l", "e1", BUCKETS // 2))
    with pytest.raises(InvalidChange):
        apply(full, [Reserve("l", "e2", 1)])
