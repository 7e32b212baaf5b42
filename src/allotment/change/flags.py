"""Edits of flags."""

from __future__ import annotations

from dataclasses import replace

from allotment.change import lifecycle
from allotment.change.commands import OrderExperiments, SetVariations, SwitchFlag
from allotment.change.edit import edit
from allotment.change.place import place
from allotment.change.proposal import Proposal
from allotment.model.flag import Flag


@edit.register
def _set_variations(command: SetVariations, proposal: Proposal) -> None:
    flag = proposal.get(Flag, command.flag)
    proposal.put(replace(flag, variations=command.variations, default=command.default))


@edit.register
def _switch(command: SwitchFlag, proposal: Proposal) -> None:
    flag = proposal.get(Flag, command.flag)
    if flag.state is command.state:
        return
    lifecycle.may_switch(
        proposal.policy, flag.state, command.state, len(flag.variations), place("flag", flag.key)
    )
    proposal.put(replace(flag, state=command.state))


@edit.register
def _order(command: OrderExperiments, proposal: Proposal) -> None:
    flag = proposal.get(Flag, command.flag)
    proposal.put(replace(flag, experiments=command.experiments))
