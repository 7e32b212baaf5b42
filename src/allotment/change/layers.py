"""Edits of layers and holdouts, and of who belongs to them."""

from __future__ import annotations

from dataclasses import replace

from allotment.change import lifecycle
from allotment.change.commands import Release, Reserve, SetHoldout, SetHoldoutShare
from allotment.change.edit import edit
from allotment.change.laying import lay_share
from allotment.change.lifecycle import Event
from allotment.change.place import place
from allotment.change.proposal import Proposal
from allotment.change.ranges import WHOLE, covers, subtract
from allotment.change.samples import samples_in
from allotment.errors import Conflict, InvalidChange
from allotment.model.experiment import Experiment
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.slots import Ranges, size


@edit.register
def _reserve(command: Reserve, proposal: Proposal) -> None:
    layer = proposal.get(Layer, command.layer)
    experiment = proposal.get(Experiment, command.experiment)
    path = f"{place('layer', layer.key)}.reservations.{experiment.key}"
    if experiment.layer not in (None, layer.key):
        raise Conflict(
            f"{experiment.key!r} is in layer {experiment.layer!r}; release it there first", path
        )
    owned = {r.experiment: r.ranges for r in layer.reservations}
    old = owned.pop(experiment.key, ())
    sampled = [sample.ranges for _, sample in samples_in(layer.key, proposal)]
    free = subtract(WHOLE, [old, *owned.values(), *sampled])
    new = _wanted(command, old, free, path)
    if experiment.layer == layer.key and Reservation(experiment.key, old) in layer.reservations:
        if new == old:
            return
    elif experiment.layer is None:
        old = WHOLE  # outside a layer it may have every unit
    grows = covers(new, old)
    event = Event.LAYER_UP if grows else Event.LAYER_DOWN
    lifecycle.permit(proposal.policy, event, lifecycle.status(experiment), path)
    member = replace(experiment, layer=layer.key)
    lifecycle.may_join(proposal.policy, member, path)
    owned[experiment.key] = new
    reservations = tuple(Reservation(key, owned[key]) for key in sorted(owned))
    proposal.put(replace(layer, reservations=reservations))
    proposal.put(member)


def _wanted(command: Reserve, old: Ranges, free: Ranges, path: str) -> Ranges:
    if not command.ranges:
        return lay_share(old, free, command.share_ppm, path)
    if size(command.ranges) != command.share_ppm:
        raise InvalidChange(
            f"the ranges hold {size(command.ranges):,} buckets, the share says "
            f"{command.share_ppm:,}; make them agree",
            path,
        )
    return command.ranges


@edit.register
def _release(command: Release, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    if experiment.layer is None:
        return
    path = f"{place('layer', experiment.layer)}.reservations.{experiment.key}"
    lifecycle.permit(proposal.policy, Event.LAYER_DOWN, lifecycle.status(experiment), path)
    layer = proposal.get(Layer, experiment.layer)
    rest = tuple(r for r in layer.reservations if r.experiment != experiment.key)
    proposal.put(replace(layer, reservations=rest))
    proposal.put(replace(experiment, layer=None))


@edit.register
def _set_holdout_share(command: SetHoldoutShare, proposal: Proposal) -> None:
    holdout = proposal.get(Holdout, command.holdout)
    proposal.put(replace(holdout, share_ppm=command.share_ppm))


@edit.register
def _set_holdout(command: SetHoldout, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    if experiment.holdout == command.holdout:
        return
    path = f"{place('experiment', experiment.key)}.holdout"
    lifecycle.permit(proposal.policy, Event.HOLDOUT, lifecycle.status(experiment), path)
    member = replace(experiment, holdout=command.holdout)
    lifecycle.may_join(proposal.policy, member, path)
    proposal.put(member)
