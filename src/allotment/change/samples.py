"""Samples: which buckets they get, and the edit that makes a segment one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from allotment.change import lifecycle
from allotment.change.check.sample import check_form
from allotment.change.commands import SetSample
from allotment.change.edit import edit
from allotment.change.lifecycle import Event
from allotment.change.place import place
from allotment.change.proposal import Proposal
from allotment.change.ranges import WHOLE, covers, join, subtract
from allotment.change.scatter import scattered
from allotment.change.users import answering
from allotment.errors import Conflict, InvalidChange
from allotment.model.experiment import Experiment
from allotment.model.layer import Layer
from allotment.model.segment import Sample, Segment
from allotment.model.slots import Range, Ranges, size


@edit.register
def _set_sample(command: SetSample, proposal: Proposal) -> None:
    segment = proposal.get(Segment, command.segment)
    asked = replace(segment, sample=command.sample)
    new = with_sample(asked, segment, proposal)
    if new.sample == segment.sample:
        return
    event = Event.LAYER_UP if _grows(segment.sample, new.sample) else Event.LAYER_DOWN
    path = _path(segment)
    for experiment in _audience_of(segment.key, proposal):
        lifecycle.permit(proposal.policy, event, lifecycle.status(experiment), path)
    proposal.put(new)


def with_sample(new: Segment, old: Segment | None, proposal: Proposal) -> Segment:
    """The segment with the ranges of its sample laid, where it has one and leaves them open.

    `old` is the segment as it is: what it has and may keep, it keeps. Raises Conflict where too few
    buckets are free.
    """
    sample = new.sample
    if sample is None:
        return new
    check_form(sample, _path(new))
    tags, exclusive = sorted(sample.tags), sorted(sample.exclusive_to)
    sample = replace(sample, tags=tuple(tags), exclusive_to=tuple(exclusive))
    was = old.sample if old else None
    if sample.ranges:
        _check_size(sample, _path(new))
    elif sample.layer is None:
        whole = Range(0, sample.share_ppm)
        sample = replace(sample, ranges=(whole,) if sample.share_ppm else ())
    else:
        own = was.ranges if was and was.layer == sample.layer else ()
        beside = [each for each in samples_in(sample.layer, proposal) if each[0] != new.key]
        layer = proposal.find("layer", sample.layer)
        taken = [r.ranges for r in layer.reservations] if isinstance(layer, Layer) else []
        taken += [other.ranges for _, other in beside if sample.excludes(other)]
        others = {name_of(*each) for each in beside if not sample.excludes(each[1])}
        sample = replace(sample, ranges=_laid(new, sample, own, taken, others))
    return replace(new, sample=sample)


def _laid(
    segment: Segment, sample: Sample, own: Ranges, taken: list[Ranges], others: set[str]
) -> Ranges:
    """`own` without what is `taken`, with as many free buckets as are missing; `others` are the
    names of the samples that share units with it."""
    name = name_of(segment.key, sample)
    own = scattered(subtract(own, taken), sample.share_ppm, name)
    missing = sample.share_ppm - size(own)
    free = subtract(WHOLE, [own, *taken])
    if size(free) < missing:
        raise Conflict(
            f"{missing:,} more of the layer's buckets are needed, but only {size(free):,} are "
            "free of what excludes this sample; let another sample or reservation shrink first",
            f"{_path(segment)}.share",
            code="no_room",
        )
    return join([*own, *scattered(free, missing, name, others, own)])


def name_of(key: str, sample: Sample) -> str:
    """What a sample is scattered by: its key, or for those that exclude each other by one tag, the
    tag, so that they lie side by side."""
    return min({*sample.tags} & {*sample.exclusive_to}, default=key)


def _check_size(sample: Sample, path: str) -> None:
    if size(sample.ranges) != sample.share_ppm:
        raise InvalidChange(
            f"the ranges hold {size(sample.ranges):,} buckets, the share says "
            f"{sample.share_ppm:,}; make them agree",
            f"{path}.ranges",
        )


def samples_in(layer: str, proposal: Proposal) -> Iterator[tuple[str, Sample]]:
    """The samples of a layer, each with the key of its segment."""
    keys = {key for kind, key in proposal.changed if kind == "segment"}
    for key in sorted(keys | proposal.catalog.users.get(f"sampled:{layer}", frozenset())):
        segment = proposal.find("segment", key)
        if isinstance(segment, Segment) and segment.sample and segment.sample.layer == layer:
            yield key, segment.sample


def _audience_of(segment: str, proposal: Proposal) -> Iterator[Experiment]:
    """The experiments that have the segment as an audience and may still answer."""
    keys = {key for kind, key in proposal.changed if kind == "experiment"}
    for key in sorted(keys | proposal.catalog.users.get(f"segment:{segment}", frozenset())):
        experiment = proposal.find("experiment", key)
        if isinstance(experiment, Experiment) and any(
            iteration.audience == segment for iteration in answering(experiment)
        ):
            yield experiment


def _grows(old: Sample | None, new: Sample | None) -> bool:
    """Whether every unit that could be in still can; leaving a layer gives up its buckets."""
    if new is None:
        return old is None or old.layer is None
    if old is not None and old.layer == new.layer:
        return covers(new.ranges, old.ranges)
    return (old is None or old.layer is None) and covers(new.ranges, WHOLE)


def _path(segment: Segment) -> str:
    return f"{place('segment', segment.key)}.sample"
