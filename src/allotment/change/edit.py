"""One command made into one step of a proposal; each noun's file registers its own edits.

What is already so is granted without asking the lifecycle: a command that changes nothing is fine.
"""

from __future__ import annotations

from functools import singledispatch

from allotment.change.proposal import Proposal
from allotment.errors import InvalidInput


@singledispatch
def edit(command: object, proposal: Proposal) -> None:
    """Make the proposal what the command says; raises InvalidChange where it may not be."""
    del proposal
    raise InvalidInput(f"{type(command).__name__} is not a command")
