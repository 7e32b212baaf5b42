"""Semantic patches: a list of instructions, each read against what those before it make of the
catalog. All of them are one change, or none is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from allotment.change.apply import apply
from allotment.change.commands import Command, Noun, Rename
from allotment.change.kinds import kind_of
from allotment.change.lifecycle import Policy
from allotment.dialects.launchdarkly.codes import not_understood
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.limits import TEXT_CHARACTERS_MAX

# The parameter of a content type that says that a body is a semantic patch.
PARAMETER: Final = "domain-model=launchdarkly.semanticpatch"

INSTRUCTIONS_MAX: Final = 100

S = TypeVar("S")

# Reads one instruction of a kind.
Kind: TypeAlias = Callable[[Place, Catalog, Given], list[Command]]


def read_instructions(
    body: Place,
    kinds: Mapping[str, Kind],
    catalog: Catalog,
    given: Given,
    policy: Policy = Policy.LAUNCHDARKLY,
) -> list[Command]:
    """The commands of all instructions of a body, in their order.

    An instruction that changes nothing is no error. Raises Refusal, 422, for a body that is no
    semantic patch, and what an instruction that cannot be done raises.
    """
    if not isinstance(body.value, dict) or not isinstance(body.value.get("instructions"), list):
        message = 'this is no semantic patch: {"instructions": [{"kind": ...}]} belongs here'
        raise not_understood(message)
    if body.at("comment").said:
        body.at("comment").text(0, TEXT_CHARACTERS_MAX)
    commands: list[Command] = []
    for place in body.at("instructions").items(1, INSTRUCTIONS_MAX):
        kind = place.at("kind").word(tuple(kinds))
        new = kinds[kind](place, catalog, given)
        catalog = apply(catalog, new, policy).catalog
        commands.extend(new)
    return commands


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
