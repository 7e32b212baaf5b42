"""What an iteration had of its layer: as it is while it runs, as it was once it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.iterations import keep_note, kept_note
from allotment.dialects.launchdarkly.layers import in_percent
from allotment.dialects.launchdarkly.schema.experiments import LDKeptIteration, LDLayerSnapshot
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State

_SNAPSHOT: Final = "layerSnapshot"


def freeze_snapshot(experiment: Experiment, catalog: Catalog) -> Iterator[Command]:
    """The command that keeps what the live iteration has of its layer, as it is being stopped."""
    live, snapshot = experiment.live, _snapshot(experiment, catalog)
    if live is not None and snapshot is not None:
        note = {**kept_note(experiment, live), _SNAPSHOT: snapshot.plain()}
        yield keep_note(experiment.key, live.number, note)


def show_snapshot(
    experiment: Experiment, iteration: Iteration, kept: LDKeptIteration, catalog: Catalog
) -> LDLayerSnapshot | None:
    """What an iteration had of its layer.

    One that another API stopped shows what the experiment has now.
    """
    if iteration.state is State.STOPPED and kept.layerSnapshot is not None:
        return kept.layerSnapshot
    return _snapshot(experiment, catalog)


def _snapshot(experiment: Experiment, catalog: Catalog) -> LDLayerSnapshot | None:
    layer = catalog.layers.get(experiment.layer) if experiment.layer is not None else None
    if layer is None:
        return None
    own = [one for one in layer.reservations if one.experiment == experiment.key]
    others = [one for one in layer.reservations if one.experiment != experiment.key]
    return LDLayerSnapshot(
        key=layer.key,
        name=layer.name or layer.key,
        reservationPercent=in_percent(own),
        otherReservationPercent=in_percent(others),
    )
