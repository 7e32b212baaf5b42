"""One command makes one step of a proposal. The tables of this package have the edit of each.

A command that changes nothing is granted without asking the lifecycle.
"""

from __future__ import annotations

from typing import Final

from allotment.change.edits import experiments, iterations, layers, nouns
from allotment.change.proposal import Proposal
from allotment.errors import InvalidInput

_EDITS: Final = {**nouns.EDITS, **experiments.EDITS, **iterations.EDITS, **layers.EDITS}


def edit(command: object, proposal: Proposal) -> None:
    """Make the proposal what the command says; raises InvalidChange where that is not allowed."""
    make = _EDITS.get(type(command))
    if make is None:
        raise InvalidInput(f"{type(command).__name__} is not a command")
    make(command, proposal)
