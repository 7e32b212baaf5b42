"""What a sample must satisfy: in itself, beside the layer's others, and where it is used."""

from __future__ import annotations

from allotment.change.check.label import check_share
from allotment.change.kinds import noun_path
from allotment.errors import Conflict, InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS, RANGES_MAX, TAGS_MAX
from allotment.model.profile import PROFILES
from allotment.model.segment import Sample, Segment
from allotment.model.slots import Range, Ranges, is_orderly, size, subtract
from allotment.model.text import check_key, check_name


def check_form(sample: Sample, path: str) -> None:
    """Check the share, the tags and the key of the layer, before anything is laid."""
    check_share(sample.share_ppm, f"{path}.share")
    if sample.layer is not None:
        check_key(sample.layer, f"{path}.layer")
    for word, tags in (("tags", sample.tags), ("exclusive_to", sample.exclusive_to)):
        here = f"{path}.{word}"
        if len(tags) > TAGS_MAX:
            raise InvalidChange(f"a sample has at most {TAGS_MAX} tags, not {len(tags):,}", here)
        for tag in tags:
            if not check_name(tag, here):
                raise InvalidInput("a tag is text, not empty", here)
        if len(set(tags)) < len(tags):
            raise InvalidChange("a tag is named twice; keep one", here)
    if sample.layer is None and (sample.tags or sample.exclusive_to):
        raise InvalidChange("tags exclude in a layer; name the sample's layer", f"{path}.layer")


def check_sample(segment: Segment, catalog: Catalog) -> None:
    """Check the sample of a segment, if it is one, as it stands in the catalog."""
    sample = segment.sample
    if sample is None:
        return
    path = f"{noun_path('segment', segment.key)}.sample"
    check_form(sample, path)
    for word, tags in (("tags", sample.tags), ("exclusive_to", sample.exclusive_to)):
        if list(tags) != sorted(tags):
            raise InvalidChange("tags stand in their order", f"{path}.{word}")
    _check_ranges(sample, f"{path}.ranges")
    for key in sorted(catalog.users.get(f"inside:{segment.key}", ())):
        raise InvalidChange(
            f"segment {key!r} names this one; a sample is an audience and nothing else", path
        )
    if sample.layer is None:
        return
    layer = catalog.layers.get(sample.layer)
    if layer is None:
        near = did_you_mean(sample.layer, catalog.layers)
        raise NotFound(f"there is no layer {sample.layer!r}{near}", f"{path}.layer")
    if PROFILES[layer.profile].buckets != BUCKETS:
        message = f"samples need a layer of {BUCKETS:,} buckets, and {layer.profile} has others"
        raise InvalidChange(message, f"{path}.layer")
    check_beside_reservations(segment.key, sample, layer)
    for key in sorted(catalog.users.get(f"sampled:{sample.layer}", frozenset()) - {segment.key}):
        other = catalog.segments[key].sample
        if other is not None and sample.excludes(other):
            _check_apart(sample.ranges, other.ranges, f"sample {key!r}", f"{path}.ranges")


def check_beside_reservations(key: str, sample: Sample, layer: Layer) -> None:
    """Raise Conflict where the sample of the segment `key` has a bucket that is reserved."""
    path = f"{noun_path('segment', key)}.sample.ranges"
    for reservation in layer.reservations:
        whose = f"the reservation of {reservation.experiment!r}"
        _check_apart(sample.ranges, reservation.ranges, whose, path)


def _check_ranges(sample: Sample, path: str) -> None:
    ranges = sample.ranges
    if any(type(edge) is not int for item in ranges for edge in item):
        raise InvalidInput("the edges of a range are whole numbers", path)
    if not is_orderly(ranges, BUCKETS):
        raise InvalidInput(
            f"ranges are not empty, ascend without overlap and lie within 0 and {BUCKETS:,}", path
        )
    if len(ranges) > RANGES_MAX:
        raise InvalidChange(f"a sample has at most {RANGES_MAX:,} ranges", path)
    if size(ranges) != sample.share_ppm:
        raise InvalidChange(f"the ranges hold {size(ranges):,} buckets, not the share", path)
    if sample.layer is None and ranges not in ((), (Range(0, sample.share_ppm),)):
        raise InvalidChange("without a layer a sample has the lowest buckets of its draw", path)


def _check_apart(one: Ranges, other: Ranges, whose: str, path: str) -> None:
    left = subtract(one, [other])
    if size(left) < size(one):
        bucket = subtract(one, [left])[0].start
        raise Conflict(f"bucket {bucket:,} is of {whose} too, which excludes this sample", path)
