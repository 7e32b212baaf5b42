"""Commands to catalog: all of them, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allotment.change import (
    experiments,
    flags,
    iterations,
    layers,
    nouns,
    runs,
    samples,
    segments,
)
from allotment.change.check import check_change
from allotment.change.check.kept import check_kept
from allotment.change.commands import Command
from allotment.change.edit import edit
from allotment.change.lifecycle import Policy
from allotment.change.proposal import Proposal
from allotment.change.touch import Move, moves, touched_experiments, touched_flags
from allotment.change.users import follow
from allotment.errors import AllotmentError
from allotment.model.catalog import Catalog

__all__ = ["EDITS", "Change", "Move", "apply"]

# The files whose edits `edit` dispatches to; importing them registers these.
EDITS = (nouns, flags, segments, samples, layers, experiments, iterations, runs)


@dataclass(frozen=True, slots=True)
class Change:
    """What commands made of a catalog.

    catalog   the new one; the very same object where nothing changed
    touched   keys of the experiments to compile again, those that are gone among them
    flags     keys of the flags to resolve by anew, those that are gone among them
    moves     for each allocation of a live iteration, how many of its units change treatment
    """

    catalog: Catalog
    touched: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    moves: tuple[Move, ...] = ()


def apply(catalog: Catalog, commands: Iterable[Command], policy: Policy = Policy.NATIVE) -> Change:
    """The change that the commands make, in their order, under the rules of a policy.

    All-or-nothing: the first command that fails raises InvalidChange or InvalidInput, whose
    `command` is its position, and the catalog stays what it was, as it always does. What commands
    refer to, and all that a catalog must satisfy beside the lifecycle, is checked after the last of
    them and only around what changed, so they may come in any order that creates a noun before it
    is edited.
    """
    proposal = Proposal(catalog, policy)
    for position, command in enumerate(commands):
        proposal.command = position
        try:
            edit(command, proposal)
        except AllotmentError as error:
            error.command = position
            raise
    if not proposal.changed and proposal.kept == catalog.kept:
        return Change(catalog)
    new = follow(catalog, proposal.close(), proposal.changed)
    check_kept(new.kept, "$.kept")
    check_change(catalog, new, {noun: proposal.changed_by[noun] for noun in proposal.changed})
    return Change(
        new,
        touched_experiments(catalog, new, proposal.changed),
        touched_flags(catalog, new, proposal.changed),
        moves(catalog, new, proposal.changed),
    )
