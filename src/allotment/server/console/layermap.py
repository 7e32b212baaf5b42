"""Who holds which part of a layer, and what is free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from allotment.model.catalog import Catalog
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS
from allotment.model.slots import Ranges, size, subtract
from allotment.model.stage import profile_of, whole
from allotment.server.console.charts import Stretch, listed
from allotment.server.console.words import share_of


@dataclass(frozen=True, slots=True)
class LayerHolder:
    """Who holds buckets of a layer: an "experiment" by a reservation, or a "segment" by a sample.

    Samples may share buckets with each other. `colour` is None for what is free.
    """

    kind: str
    key: str
    ranges: Ranges
    share: str
    colour: int | None


@dataclass(frozen=True, slots=True)
class LayerMap:
    """A layer drawn to scale: its holders, and last what is free."""

    layer: str
    unit: str
    buckets: int
    holders: tuple[LayerHolder, ...]
    free: LayerHolder

    @property
    def said(self) -> str:
        """The map in words."""
        held = [f"{each.key} {each.share}" for each in self.holders]
        return listed([f"{self.free.share} free", *held])

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The parts of the line; what is free is the ground."""
        return tuple(
            Stretch(start, stop, each.colour, f"{each.key}: buckets {start:,} to {stop - 1:,}")
            for each in self.holders
            for start, stop in each.ranges
        )

    def without(self, others_than: str) -> tuple[Stretch, ...]:
        """The same, where only this one has its colour."""
        return tuple(
            Stretch(start, stop, 0 if each.key == others_than else 7, f"{each.key}: {each.share}")
            for each in self.holders
            for start, stop in each.ranges
        )


def layer_map(layer: Layer, catalog: Catalog) -> LayerMap:
    """The map of a layer."""
    profile = profile_of(layer)
    buckets = profile.count(BUCKETS)
    holders = tuple(_holders(layer, catalog, buckets))
    free = subtract(whole(profile), [each.ranges for each in holders])
    rest = LayerHolder("", "free", free, share_of(size(free), buckets), None)
    return LayerMap(layer.key, layer.unit, buckets, holders, rest)


def _holders(layer: Layer, catalog: Catalog, buckets: int) -> Iterator[LayerHolder]:
    colour = 0
    for each in layer.reservations:
        share = share_of(size(each.ranges), buckets)
        yield LayerHolder("experiment", each.experiment, each.ranges, share, colour)
        colour += 1
    for key in sorted(catalog.users.get(f"sampled:{layer.key}", ())):
        sample = catalog.segments[key].sample
        if sample is not None:
            share = share_of(size(sample.ranges), buckets)
            yield LayerHolder("segment", key, sample.ranges, share, colour)
            colour += 1
