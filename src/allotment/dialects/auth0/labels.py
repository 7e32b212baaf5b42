"""Names and descriptions, and the fields of this API that the model lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

from allotment.change.commands import Command, Describe, Rename
from allotment.dialects.auth0.errors import name_taken
from allotment.dialects.auth0.schema.fields import Auth0LabelsUpdate
from allotment.dialects.wire.notes import Notes
from allotment.model.keyed import Keyed

# Fields that the model lacks are stored with the noun.
FIELDS: Final = Notes("auth0")


class Labelled(Protocol):
    """Any noun, and a variation."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102


N = TypeVar("N", bound=Labelled)


def shown_name(noun: Labelled) -> str:
    """The name; the key of a noun that was made without one."""
    return noun.name or noun.key


def check_name_free(kind: str, name: str, nouns: Keyed[N], besides: str = "") -> None:
    """Raise the 409 where another noun than the one with the key `besides` shows this name."""
    for part in nouns.shards:
        for key, noun in part.items():
            if (noun.name or key) == name and key != besides:
                raise name_taken(kind)


def update_labels(
    kind: str, noun: N, body: Auth0LabelsUpdate, nouns: Keyed[N]
) -> Iterator[Command]:
    """The commands for an update's name and description."""
    if body.name is not None:
        check_name_free(kind, body.name, nouns, noun.key)
        yield Rename(kind, noun.key, body.name)
    description = updated_description(body, noun)
    if description != noun.description:
        yield Describe(kind, noun.key, description)


def updated_description(body: Auth0LabelsUpdate, noun: Labelled) -> str:
    """The description after an update."""
    return (body.description or "") if "description" in body.model_fields_set else noun.description
