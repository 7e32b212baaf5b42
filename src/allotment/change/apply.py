"""Commands to catalog: all of them, or nothing; and step by step, to show what each one does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import NamedTuple

from allotment.change.check import check_change
from allotment.change.check.label import check_kept
from allotment.change.commands import Command, Create, Delete, Describe, Keep, Noun, Rename, Replace
from allotment.change.edits import edit
from allotment.change.impact import Change, moves, touched_experiments, touched_flags
from allotment.change.kinds import CATALOG, kind_of
from allotment.change.lifecycle import Policy
from allotment.change.proposal import Proposal
from allotment.change.references import follow
from allotment.errors import AllotmentError
from allotment.model.catalog import Catalog


def apply(catalog: Catalog, commands: Iterable[Command], policy: Policy = Policy.NATIVE) -> Change:
    """The change that the commands make, in their order, under the rules of a policy.

    All or nothing: the first command that fails raises InvalidChange or InvalidInput, whose
    `command` is its position. `catalog` itself never changes. References, and everything else that
    a catalog must satisfy beside the lifecycle, are checked after the last command and only around
    what changed. So commands may come in any order that creates a noun before it is edited.
    """
    proposal = Proposal(catalog, policy)
    for position, command in enumerate(commands):
        proposal.command = position
        try:
            edit(command, proposal)
        except AllotmentError as error:
            error.command = position
            raise
    return concluded(catalog, proposal)


def concluded(catalog: Catalog, proposal: Proposal) -> Change:
    """The change that the edits of a proposal make, once all that a catalog must satisfy is checked
    around what changed."""
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


class Step(NamedTuple):
    """A command, and its noun before and after it; None where there is none."""

    command: Command
    before: Noun | None
    after: Noun | None


def steps(commands: Iterable[Command], catalog: Catalog) -> Iterator[Step]:
    """The steps of commands that `apply` lets through under the native policy."""
    proposal = Proposal(catalog, Policy.NATIVE)
    for command in commands:
        subject = _subject(command)
        before = _found(subject, proposal)
        edit(command, proposal)
        yield Step(command, before, _found(subject, proposal))


def _found(subject: tuple[str, str], proposal: Proposal) -> Noun | None:
    """The noun as it would be; what the space keeps itself is none."""
    return None if subject == (CATALOG, CATALOG) else proposal.find(*subject)


def _subject(command: Command) -> tuple[str, str]:
    """The kind and key of the noun that a command is about."""
    if isinstance(command, Create | Replace):
        return kind_of(command.noun), command.noun.key
    if isinstance(command, Delete | Rename | Describe | Keep):
        return command.kind, command.key
    # The others begin with the key, in a field that is called as the kind.
    kind = fields(command)[0].name
    return kind, getattr(command, kind)
