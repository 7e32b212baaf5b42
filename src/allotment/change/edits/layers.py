"""Edits of layers, holdouts and samples, and of which experiments belong to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from allotment.change import lifecycle
from allotment.change.commands import Release, Reserve, SetHoldout, SetHoldoutShare, SetSample
from allotment.change.defaults import buckets_of, lay_count
from allotment.change.kinds import noun_path
from allotment.change.lifecycle import Event
from allotment.change.proposal import Proposal
from allotment.change.references import answering
from allotment.change.sample_layout import sample_path, samples_in, with_sample
from allotment.errors import Conflict, InvalidChange
from allotment.model.experiment import Experiment
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import Sample, Segment
from allotment.model.slots import WHOLE, Ranges, covers, size, subtract
from allotment.model.stage import profile_of, whole


def _reserve(command: Reserve, proposal: Proposal) -> None:
    layer = proposal.get(Layer, command.layer)
    experiment = proposal.get(Experiment, command.experiment)
    path = f"{noun_path('layer', layer.key)}.reservations.{experiment.key}"
    if experiment.layer not in (None, layer.key):
        raise Conflict(
            f"{experiment.key!r} is in layer {experiment.layer!r}; release it there first", path
        )
    owned = {r.experiment: r.ranges for r in layer.reservations}
    old = owned.pop(experiment.key, ())
    sampled = [sample.ranges for _, sample in samples_in(layer.key, proposal)]
    everyone = whole(profile_of(layer))
    free = subtract(everyone, [old, *owned.values(), *sampled])
    new = _wanted(command, layer, old, free, path)
    if experiment.layer == layer.key and Reservation(experiment.key, old) in layer.reservations:
        if new == old:
            return
    elif experiment.layer is None:
        old = everyone  # outside a layer it may have every unit
    grows = covers(new, old)
    event = Event.LAYER_UP if grows else Event.LAYER_DOWN
    lifecycle.permit(proposal.policy, event, lifecycle.status(experiment), path)
    member = replace(experiment, layer=layer.key)
    lifecycle.may_join(proposal.policy, member, path)
    owned[experiment.key] = new
    reservations = tuple(Reservation(key, owned[key]) for key in sorted(owned))
    proposal.put(replace(layer, reservations=reservations))
    proposal.put(member)


def _wanted(command: Reserve, layer: Layer, old: Ranges, free: Ranges, path: str) -> Ranges:
    count = buckets_of(layer, command.share_ppm, path)
    if not command.ranges:
        return lay_count(old, free, count, path)
    if size(command.ranges) != count:
        raise InvalidChange(
            f"the ranges hold {size(command.ranges):,} buckets, the share says "
            f"{count:,}; make them agree",
            path,
        )
    return command.ranges


def _release(command: Release, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    if experiment.layer is None:
        return
    path = f"{noun_path('layer', experiment.layer)}.reservations.{experiment.key}"
    lifecycle.permit(proposal.policy, Event.LAYER_DOWN, lifecycle.status(experiment), path)
    layer = proposal.get(Layer, experiment.layer)
    rest = tuple(r for r in layer.reservations if r.experiment != experiment.key)
    proposal.put(replace(layer, reservations=rest))
    proposal.put(replace(experiment, layer=None))


def _set_holdout_share(command: SetHoldoutShare, proposal: Proposal) -> None:
    holdout = proposal.get(Holdout, command.holdout)
    proposal.put(replace(holdout, share_ppm=command.share_ppm))


def _set_holdout(command: SetHoldout, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    if experiment.holdout == command.holdout:
        return
    path = f"{noun_path('experiment', experiment.key)}.holdout"
    lifecycle.permit(proposal.policy, Event.HOLDOUT, lifecycle.status(experiment), path)
    member = replace(experiment, holdout=command.holdout)
    lifecycle.may_join(proposal.policy, member, path)
    proposal.put(member)


def _set_sample(command: SetSample, proposal: Proposal) -> None:
    segment = proposal.get(Segment, command.segment)
    asked = replace(segment, sample=command.sample)
    new = with_sample(asked, segment, proposal)
    if new.sample == segment.sample:
        return
    event = Event.LAYER_UP if _grows(segment.sample, new.sample) else Event.LAYER_DOWN
    path = sample_path(segment)
    for experiment in _audience_of(segment.key, proposal):
        lifecycle.permit(proposal.policy, event, lifecycle.status(experiment), path)
    proposal.put(new)


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


EDITS: Final[Mapping[type, Callable[[Any, Proposal], None]]] = {
    Reserve: _reserve,
    Release: _release,
    SetHoldoutShare: _set_holdout_share,
    SetHoldout: _set_holdout,
    SetSample: _set_sample,
}
