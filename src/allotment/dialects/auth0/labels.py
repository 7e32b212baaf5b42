"""Names and descriptions: text that every noun of this API has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

from allotment.change.commands import Command, Describe, Rename
from allotment.dialects.auth0.codes import name_taken
from allotment.dialects.wire.ecmascript import ecmascript
from allotment.dialects.wire.place import Place
from allotment.model.keyed import Keyed

# The vendor's pattern: no space at either end, no NUL, one line.
LINE: Final = r"^(?!.*\x00)\S(.*\S)?$"

_LINE: Final = ecmascript(LINE)


class Labelled(Protocol):
    """Any noun, and a variation."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102


N = TypeVar("N", bound=Labelled)


def read_name(place: Place) -> str:
    """A name of 3 to 255 characters."""
    return _read(place, 255)


def read_description(place: Place) -> str:
    """A description of 3 to 1,024 characters; "" where the request gives none."""
    return _read(place, 1024) if place.given else ""


def _read(place: Place, most: int) -> str:
    text = place.text(3, most)
    if not _LINE.search(text):
        raise place.refusal("one line without spaces at its ends belongs here")
    return text


def shown_name(noun: Labelled) -> str:
    """The name; for a noun that came without one, its key."""
    return noun.name or noun.key


def check_name_free(kind: str, name: str, nouns: Keyed[N], besides: str = "") -> None:
    """Raise the 409 where another noun than the one with the key `besides` shows this name."""
    for part in nouns.shards:
        for key, noun in part.items():
            if shown_name(noun) == name and key != besides:
                raise name_taken(kind)


def read_labels(kind: str, noun: N, body: Place, nouns: Keyed[N]) -> Iterator[Command]:
    """The commands for what a PATCH gives of a name and a description."""
    name = read_other_name(body.at("name"), noun)
    if name:
        check_name_free(kind, name, nouns, noun.key)
        yield Rename(kind, noun.key, name)
    description = read_cleared(body.at("description"), noun)
    if description != noun.description:
        yield Describe(kind, noun.key, description)


def read_other_name(place: Place, noun: Labelled) -> str:
    """A name in a PATCH; "" where there is none, or the one that is shown already."""
    return read_name(place) if place.given and place.value != shown_name(noun) else ""


def read_cleared(place: Place, noun: Labelled) -> str:
    """The description after a PATCH, "" for null; as it was where that is what is sent."""
    if not place.given or place.value == noun.description:
        return noun.description
    return "" if place.null else read_description(place)


def show_description(noun: Labelled) -> dict[str, str]:
    """The description where there is one; what is unset is left out."""
    return {"description": noun.description} if noun.description else {}
