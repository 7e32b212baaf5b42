"""Edits of segments."""

from __future__ import annotations

from dataclasses import replace

from allotment.change.check.segment import check_segment
from allotment.change.commands import SetMembers, SetRules
from allotment.change.edit import edit
from allotment.change.place import place
from allotment.change.proposal import Proposal
from allotment.model.segment import Segment


@edit.register
def _set_rules(command: SetRules, proposal: Proposal) -> None:
    segment = proposal.get(Segment, command.segment)
    _put(replace(segment, rules=command.rules), proposal)


@edit.register
def _set_members(command: SetMembers, proposal: Proposal) -> None:
    segment = proposal.get(Segment, command.segment)
    members = replace(segment, unit=command.unit, include=command.include, exclude=command.exclude)
    _put(members, proposal)


def _put(segment: Segment, proposal: Proposal) -> None:
    # Checked before anything compares it: a condition may be nested too deep to compare.
    check_segment(segment, place("segment", segment.key))
    proposal.put(segment)
