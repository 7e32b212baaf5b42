"""Edits of whole nouns and their labels, of flags, and of segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from allotment.change import lifecycle
from allotment.change.check.segment import check_segment
from allotment.change.commands import (
    Create,
    Delete,
    Describe,
    Keep,
    Noun,
    OrderExperiments,
    Rename,
    Replace,
    SetMembers,
    SetRules,
    SetVariations,
    SwitchFlag,
)
from allotment.change.defaults import lay_noun
from allotment.change.kinds import CATALOG, kind_of, noun_path
from allotment.change.lifecycle import Event
from allotment.change.proposal import Proposal, same
from allotment.change.sample_layout import samples_in, with_sample
from allotment.errors import Conflict, NotFound
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.layer import Layer
from allotment.model.segment import Segment


def _create(command: Create, proposal: Proposal) -> None:
    noun = command.noun
    kind = kind_of(noun)
    path = noun_path(kind, noun.key)
    if proposal.find(kind, noun.key) is not None:
        raise Conflict(f"the key {noun.key!r} is another {kind}'s already; choose one", path)
    put_new(_laid(noun, None, proposal), proposal)


def put_new(noun: Noun, proposal: Proposal) -> None:
    """Put in a noun that is complete, under a key that is free."""
    proposal.put(noun)
    if isinstance(noun, Experiment):
        path = noun_path("experiment", noun.key)
        lifecycle.permit(proposal.policy, Event.CREATE, lifecycle.status(noun), path)
        lifecycle.may_join(proposal.policy, noun, path)


def _replace(command: Replace, proposal: Proposal) -> None:
    noun = command.noun
    kind = kind_of(noun)
    path = noun_path(kind, noun.key)
    old = proposal.find(kind, noun.key)
    if old is None:
        raise NotFound(f"there is no {kind} {noun.key!r} to replace", path)
    new = _laid(noun, old, proposal)
    if same(old, new):
        return
    if isinstance(old, Experiment):
        lifecycle.permit(proposal.policy, Event.REPLACE, lifecycle.status(old), path)
    else:
        lifecycle.may_replace(proposal.policy, kind, path)
    proposal.put(new)


def _laid(noun: Noun, old: Noun | None, proposal: Proposal) -> Noun:
    """The noun complete, beside what else there is in its layer."""
    if isinstance(noun, Segment):
        complete = lay_noun(noun, old)
        assert isinstance(complete, Segment)
        return with_sample(complete, old if isinstance(old, Segment) else None, proposal)
    if isinstance(noun, Layer):
        return lay_noun(noun, old, [sample.ranges for _, sample in samples_in(noun.key, proposal)])
    if isinstance(noun, Experiment):
        committed = proposal.catalog.experiments.get(noun.key)
        return lay_noun(noun, old, committed=committed)
    return lay_noun(noun, old)


def _delete(command: Delete, proposal: Proposal) -> None:
    path = noun_path(command.kind, command.key)
    noun = proposal.find(command.kind, command.key)
    if noun is None:
        raise NotFound(f"there is no {command.kind} {command.key!r} to delete", path)
    if isinstance(noun, Experiment):
        lifecycle.permit(proposal.policy, Event.DELETE, lifecycle.status(noun), path)
    proposal.remove(command.kind, command.key)


def _rename(command: Rename, proposal: Proposal) -> None:
    noun = _labelled(command.kind, command.key, proposal)
    if noun.name != command.name:
        _permit_label(noun, proposal)
        proposal.put(replace(noun, name=command.name))


def _describe(command: Describe, proposal: Proposal) -> None:
    noun = _labelled(command.kind, command.key, proposal)
    if noun.description != command.description:
        _permit_label(noun, proposal)
        proposal.put(replace(noun, description=command.description))


def _keep(command: Keep, proposal: Proposal) -> None:
    if (command.kind, command.key) == (CATALOG, CATALOG):
        proposal.kept = _kept(proposal.kept, command)
        return
    noun = _labelled(command.kind, command.key, proposal)
    new = _kept(noun.kept, command)
    if noun.kept != new:
        _permit_label(noun, proposal)
        proposal.put(replace(noun, kept=new))


def _kept(old: tuple[tuple[str, str], ...], command: Keep) -> tuple[tuple[str, str], ...]:
    kept = dict(old)
    if command.value is None:
        kept.pop(command.path, None)
    else:
        kept[command.path] = command.value
    return tuple(sorted(kept.items()))


def _labelled(kind: str, key: str, proposal: Proposal) -> Noun:
    noun = proposal.find(kind, key)
    if noun is None:
        raise NotFound(f"there is no {kind} {key!r}", noun_path(kind, key))
    return noun


def _permit_label(noun: Noun, proposal: Proposal) -> None:
    if isinstance(noun, Experiment):
        path = noun_path("experiment", noun.key)
        lifecycle.permit(proposal.policy, Event.NAME, lifecycle.status(noun), path)


def _set_variations(command: SetVariations, proposal: Proposal) -> None:
    flag = proposal.get(Flag, command.flag)
    proposal.put(replace(flag, variations=command.variations, default=command.default))


def _switch(command: SwitchFlag, proposal: Proposal) -> None:
    flag = proposal.get(Flag, command.flag)
    if flag.state is command.state:
        return
    lifecycle.may_switch(
        proposal.policy,
        flag.state,
        command.state,
        len(flag.variations),
        noun_path("flag", flag.key),
    )
    proposal.put(replace(flag, state=command.state))


def _order(command: OrderExperiments, proposal: Proposal) -> None:
    flag = proposal.get(Flag, command.flag)
    proposal.put(replace(flag, experiments=command.experiments))


def _set_rules(command: SetRules, proposal: Proposal) -> None:
    segment = proposal.get(Segment, command.segment)
    _put_segment(replace(segment, rules=command.rules), proposal)


def _set_members(command: SetMembers, proposal: Proposal) -> None:
    segment = proposal.get(Segment, command.segment)
    members = replace(segment, unit=command.unit, include=command.include, exclude=command.exclude)
    _put_segment(members, proposal)


def _put_segment(segment: Segment, proposal: Proposal) -> None:
    # Checked before anything compares it: a condition may be nested too deep to compare.
    check_segment(segment, noun_path("segment", segment.key))
    proposal.put(segment)


EDITS: Final[Mapping[type, Callable[[Any, Proposal], None]]] = {
    Create: _create,
    Replace: _replace,
    Delete: _delete,
    Rename: _rename,
    Describe: _describe,
    Keep: _keep,
    SetVariations: _set_variations,
    SwitchFlag: _switch,
    OrderExperiments: _order,
    SetRules: _set_rules,
    SetMembers: _set_members,
}
