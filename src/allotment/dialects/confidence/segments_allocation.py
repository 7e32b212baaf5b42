"""A segment's allocation: how many of its units it has, and which segments it shares none with.

A segment that says nothing of others is sampled at once. One that does is coordinated: what it
declares is kept until it is allocated, which gives it buckets of a layer that all of them share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from allotment.change.commands import Command, Create, SetSample
from allotment.dialects.confidence.kept import keep, kept
from allotment.dialects.wire.place import ABSENT, Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS
from allotment.model.number import read_weight
from allotment.model.segment import Sample, Segment

# The layer that coordinated segments have their buckets of.
LAYER: Final = "confidence"

# Where a segment keeps what it declares while nothing steers by it.
ALLOCATION: Final = "allocation"

FIELDS: Final = ("proportion", "exclusivityTags", "exclusiveTo")

_DIGITS: Final = 6
_DECIMAL_MAX: Final = 32
_TAGS_MAX: Final = 100
_TAG_MAX: Final = 250


@dataclass(frozen=True, slots=True)
class Declared:
    """What a segment declares: a share, the tags it has, and those it is exclusive to."""

    share_ppm: int = BUCKETS
    tags: tuple[str, ...] = ()
    exclusive_to: tuple[str, ...] = ()

    @property
    def coordinated(self) -> bool:
        """Whether it says anything of other segments."""
        return bool(self.tags or self.exclusive_to)


def declared(segment: Segment) -> Declared:
    """What the segment declares: by its sample, or else by what is kept."""
    sample = segment.sample
    if sample is not None:
        return Declared(sample.share_ppm, sample.tags, sample.exclusive_to)
    note = kept(segment, ALLOCATION)
    return Declared() if note is None else read_allocation(Place(note))


def read_allocation(place: Place) -> Declared:
    """What an allocation declares; of what it leaves out, everything or nothing."""
    if not place.given or place.null:
        return Declared()
    place.fields(FIELDS)
    proportion, tags, exclusive = (place.at(name) for name in FIELDS)
    return Declared(_read_proportion(proportion), _read_tags(tags), _read_tags(exclusive))


def show_allocation(what: Declared) -> dict[str, Tree]:
    """The allocation as this API spells it."""
    whole, rest = divmod(what.share_ppm, BUCKETS)
    text = f"{whole}.{rest:0{_DIGITS}d}".rstrip("0").rstrip(".")
    return {
        "proportion": {"value": text},
        "exclusivityTags": [*what.tags],
        "exclusiveTo": [*what.exclusive_to],
    }


def set_allocation(segment: Segment, wanted: Declared, catalog: Catalog) -> Iterator[Command]:
    """The commands that make the segment declare this."""
    if segment.sample is None and wanted.coordinated:
        yield keep("segment", segment.key, ALLOCATION, show_allocation(wanted))
        return
    if kept(segment, ALLOCATION) is not None:
        yield keep("segment", segment.key, ALLOCATION, None)
    if wanted.coordinated:
        yield from allocate(segment, wanted, catalog)
    elif segment.sample is not None or wanted.share_ppm < BUCKETS:
        yield SetSample(segment.key, sampled(wanted))


def allocate(segment: Segment, wanted: Declared, catalog: Catalog) -> Iterator[Command]:
    """The commands that give a coordinated segment buckets of the layer."""
    layer = segment.sample.layer if segment.sample and segment.sample.layer else LAYER
    if layer not in catalog.layers:
        yield Create(Layer(layer, ""))
    sample = Sample(wanted.share_ppm, layer, wanted.tags, wanted.exclusive_to)
    yield SetSample(segment.key, sample)


def sampled(wanted: Declared) -> Sample | None:
    """The sample of a segment that says nothing of others: none where it has all its units."""
    return Sample(wanted.share_ppm) if wanted.share_ppm < BUCKETS else None


def _read_proportion(place: Place) -> int:
    if not place.given or place.null:
        return BUCKETS
    value = place.fields(("value",), ("value",)).at("value")
    ppm = read_weight(value.text(1, _DECIMAL_MAX), value.path) * BUCKETS
    if ppm > BUCKETS or ppm != int(ppm):
        raise value.refusal(f'a decimal from "0" to "1" of at most {_DIGITS} decimals belongs here')
    return int(ppm)


def _read_tags(place: Place) -> tuple[str, ...]:
    if not place.given or place.value is ABSENT or place.null:
        return ()
    tags = [item.text(1, _TAG_MAX) for item in place.items(0, _TAGS_MAX)]
    return tuple(sorted(set(tags)))
