"""Which bucket each stage looks at, and where its bound lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allotment.model.assignment import Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.segment import AllOf, Sample, Segment
from allotment.model.slots import Range, Slot
from allotment.reference import assign
from allotment.reference.draw import bucket, draw

UNIT = "ünit-7"
ITERATION = Iteration(
    1,
    (Treatment("a"), Treatment("b")),
    (Allocation("all", (("a", 1),), 1, slots=(Slot(0, BUCKETS, "a"),)),),
    state=State.RUNNING,
    salt="salt",
)
EXPERIMENT = Experiment("e", (ITERATION,))


def _at(stage: str) -> int:
    return bucket(draw(stage, UNIT))


def _answer(catalog: Catalog, **iteration: Any) -> tuple[Reason, str | None]:
    experiment = catalog.experiments["e"]
    changed = replace(experiment, iterations=(replace(ITERATION, **iteration),))
    answer = assign(replace(catalog, experiments=Keyed([("e", changed)])), "e", UNIT)
    return answer.reason, answer.treatment


def _catalog(**experiment: Any) -> Catalog:
    return Catalog(experiments=Keyed([("e", replace(EXPERIMENT, **experiment))]))


@pytest.mark.parametrize(("above", "reason"), [(0, Reason.ALLOCATED), (1, Reason.HELD_OUT)])
def test_a_holdout_keeps_out_the_buckets_below_its_share(above: int, reason: Reason) -> None:
    holdout = Holdout("h", "salt-h", _at("salt-h/holdout") + above)
    catalog = replace(_catalog(holdout="h"), holdouts=Keyed([("h", holdout)]))
    assert _answer(catalog)[0] is reason


@pytest.mark.parametrize(
    ("start", "stop", "reason"),
    [
        (0, 1, Reason.ALLOCATED),
        (1, 2, Reason.NOT_IN_LAYER),
        (-1, 0, Reason.NOT_IN_LAYER),
        (-1, 1, Reason.ALLOCATED),
    ],
)
def test_a_layer_lets_in_the_buckets_of_the_reservation(
    start: int, stop: int, reason: Reason
) -> None:
    at = _at("salt-l/layer")
    ranges = (Range(0, 1), Range(at + start, at + stop))
    layer = Layer("l", "salt-l", reservations=(Reservation("e", ranges),))
    catalog = replace(_catalog(layer="l"), layers=Keyed([("l", layer)]))
    assert _answer(catalog)[0] is reason


@pytest.mark.parametrize(
    ("layer", "salt"), [(None, "segment/s/sample"), ("l", "salt-l/layer")], ids=["own", "layer"]
)
@pytest.mark.parametrize(
    ("start", "stop", "reason"),
    [(0, 1, Reason.ALLOCATED), (1, 2, Reason.NOT_IN_LAYER), (-1, 0, Reason.NOT_IN_LAYER)],
)
def test_a_sample_lets_in_its_buckets_of_its_own_draw_or_of_its_layers(
    layer: str | None, salt: str, start: int, stop: int, reason: Reason
) -> None:
    ranges = (Range(_at(salt) + start, _at(salt) + stop),)
    segment = Segment("s", rules=(AllOf(()),), sample=Sample(1, layer, ranges=ranges))
    catalog = replace(
        _catalog(),
        layers=Keyed([("l", Layer("l", "salt-l"))]),
        segments=Keyed([("s", segment)]),
    )
    assert _answer(catalog, audience="s")[0] is reason


@pytest.mark.parametrize(("above", "reason"), [(0, Reason.NOT_ENROLLED), (1, Reason.ALLOCATED)])
def test_the_buckets_below_the_enrolment_share_are_enrolled(above: int, reason: Reason) -> None:
    share = _at("salt/enrolment") + above
    assert _answer(_catalog(), enrolment_ppm=share)[0] is reason


@pytest.mark.parametrize(
    ("start", "stop", "treatment"), [(0, 1, "b"), (1, 2, None), (-1, 0, None), (-1, 1, "b")]
)
def test_slots_own_their_start_and_not_their_stop(
    start: int, stop: int, treatment: str | None
) -> None:
    at = _at("salt/treatment")
    slots = (Slot(0, 1, "a"), Slot(at + start, at + stop, "b"))
    reason = Reason.ALLOCATED if treatment else Reason.NOT_ALLOCATED
    assert _answer(_catalog(), allocations=(Allocation("all", (("b", 1),), 1, slots=slots),)) == (
        reason,
        treatment,
    )
