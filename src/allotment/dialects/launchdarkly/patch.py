"""Semantic patches: a list of instructions, each read against what those before it make of the
catalog. All of them are one change, or none is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from allotment.change.apply import apply
from allotment.change.commands import Command, Noun, Rename
from allotment.change.kinds import kind_of
from allotment.change.lifecycle import Policy
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

# The parameter of a content type that says that a body is a semantic patch.
PARAMETER: Final = "domain-model=launchdarkly.semanticpatch"

S = TypeVar("S")


def follow(
    steps: Sequence[S], read: Callable[[S, Catalog], Sequence[Command]], catalog: Catalog
) -> list[Command]:
    """The commands of all instructions, each read against what those before it make of the catalog.

    An instruction that changes nothing is no error.
    """
    commands: list[Command] = []
    for step in steps:
        new = read(step, catalog)
        catalog = apply(catalog, new, Policy.LAUNCHDARKLY).catalog
        commands.extend(new)
    return commands


def renamed(noun: Noun, name: str) -> list[Command]:
    """The command that names a noun; none for the name that is shown, which may be its key."""
    return [] if name == (noun.name or noun.key) else [Rename(kind_of(noun), noun.key, name)]


def comment_of(body: Tree) -> str:
    """What a patch says to the journal."""
    comment = body.get("comment") if isinstance(body, dict) else None
    return comment if isinstance(comment, str) else ""
