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
    if body.at("name").given:
        name = read_name(body.at("name"))
        if name != shown_name(noun):
            check_name_free(kind, name, nouns, noun.key)
            yield Rename(kind, noun.key, name)
    if body.at("description").given:
        yield Describe(kind, noun.key, read_cleared(body.at("description")))


def read_cleared(place: Place) -> str:
    """A description in a PATCH, "" for null."""
    return "" if place.null else read_description(place)


def show_description(noun: Labelled) -> dict[str, str]:
    """The description where there is one; what is unset is left out."""
    return {"description": noun.description} if noun.description else {}
