"""What an iteration had of its layer: as it is while it runs, as it was once it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.iterations import keep_note, kept_note
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.layer import Reservation
from allotment.model.limits import BUCKETS
from allotment.model.slots import size

_SNAPSHOT: Final = "layerSnapshot"
_PERCENT: Final = BUCKETS // 100


def freeze_snapshot(experiment: Experiment, catalog: Catalog) -> Iterator[Command]:
    """The command that keeps what the live iteration has of its layer, as it is being stopped."""
    live, snapshot = experiment.live, _snapshot(experiment, catalog)
    if live is not None and snapshot is not None:
        note = {**kept_note(experiment, live), _SNAPSHOT: snapshot}
        yield keep_note(experiment.key, live.number, note)


def show_snapshot(
    experiment: Experiment, iteration: Iteration, note: dict[str, Tree], catalog: Catalog
) -> dict[str, Tree]:
    """What an iteration had of its layer.

    One that another API stopped shows what the experiment has now.
    """
    if iteration.state is State.STOPPED and _SNAPSHOT in note:
        return {_SNAPSHOT: note[_SNAPSHOT]}
    snapshot = _snapshot(experiment, catalog)
    return {} if snapshot is None else {_SNAPSHOT: snapshot}


def _snapshot(experiment: Experiment, catalog: Catalog) -> dict[str, Tree] | None:
    layer = catalog.layers.get(experiment.layer) if experiment.layer is not None else None
    if layer is None:
        return None
    own = [one for one in layer.reservations if one.experiment == experiment.key]
    others = [one for one in layer.reservations if one.experiment != experiment.key]
    return {
        "key": layer.key,
        "name": layer.name or layer.key,
        "reservationPercent": _percent(own),
        "otherReservationPercent": _percent(others),
    }


def _percent(reservations: list[Reservation]) -> int:
    """Whole percent, the nearest."""
    buckets = sum(size(one.ranges) for one in reservations)
    return (buckets + _PERCENT // 2) // _PERCENT
