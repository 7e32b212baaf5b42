"""Commands one by one, each with the noun it is about as it was and as it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import NamedTuple

from allotment.change.apply import EDITS
from allotment.change.commands import Command, Create, Delete, Describe, Keep, Noun, Rename, Replace
from allotment.change.edit import edit
from allotment.change.kinds import CATALOG, kind_of
from allotment.change.lifecycle import Policy
from allotment.change.proposal import Proposal
from allotment.model.catalog import Catalog

__all__ = ["EDITS", "Step", "steps"]


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
