"""Semantic patches: a list of instructions, each read against what those before it make of the
catalog. All of them are one change, or none is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from allotment.change.apply import apply
from allotment.change.commands import Command, Describe, Rename
from allotment.change.commands import Noun as AnyNoun
from allotment.change.kinds import kind_of, nouns_of
from allotment.change.lifecycle import Policy
from allotment.dialects.launchdarkly.codes import INVALID
from allotment.dialects.launchdarkly.fields import Description, LDBody, LongText, Name
from allotment.dialects.wire.model import LEFT_OUT, refused
from allotment.dialects.wire.operation import Noun
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

# The parameter of a content type that says that a body is a semantic patch.
PARAMETER: Final = "domain-model=launchdarkly.semanticpatch"

INSTRUCTIONS_MAX: Final = 100

# How many instructions a patch has.
SOME: Final = Field(min_length=1, max_length=INSTRUCTIONS_MAX)


class LDPatch(LDBody):
    """What every semantic patch has; each declares its `instructions`."""

    comment: LongText | None = LEFT_OUT

    @model_validator(mode="before")
    @classmethod
    def _check_fields(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("instructions"), list):
            message = 'this is no semantic patch: {"instructions": [...]} belongs here'
            raise refused(INVALID, message, 422)
        return value


class LDUpdateName(LDBody):
    """Names a noun."""

    kind: Literal["updateName"]
    value: Name


class LDUpdateDescription(LDBody):
    """Describes a noun."""

    kind: Literal["updateDescription"]
    value: Description


def follow(
    steps: Sequence[LDBody],
    noun: Noun,
    read: Callable[[Any, str, Catalog], Iterable[Command]],
    catalog: Catalog,
) -> list[Command]:
    """The commands of all instructions that change a noun, each read against what those before it
    make of the catalog, with its path.

    An instruction that changes nothing is no error.
    """
    commands: list[Command] = []
    for index, step in enumerate(steps):
        if isinstance(step, LDUpdateName):
            new = renamed(nouns_of(catalog, noun.kind)[noun.key], step.value)
        elif isinstance(step, LDUpdateDescription):
            new = [Describe(noun.kind, noun.key, step.value)]
        else:
            new = [*read(step, f"$.instructions[{index}]", catalog)]
        catalog = apply(catalog, new, Policy.LAUNCHDARKLY).catalog
        commands.extend(new)
    return commands


def renamed(noun: AnyNoun, name: str) -> list[Command]:
    """The command that names a noun; none for the name that is shown, which may be its key."""
    return [] if name == (noun.name or noun.key) else [Rename(kind_of(noun), noun.key, name)]


def comment_of(body: Tree) -> str:
    """What a patch says to the journal."""
    comment = body.get("comment") if isinstance(body, dict) else None
    return comment if isinstance(comment, str) else ""
