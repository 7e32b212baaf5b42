"""Keys, names and descriptions, as bodies give them."""

from __future__ import annotations

from allotment.change.commands import Command, Noun, Rename
from allotment.change.kinds import kind_of
from allotment.dialects.wire.place import Place
from allotment.model.limits import KEY_BYTES_MAX, NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from allotment.model.text import check_description, check_key, check_name


def read_key(place: Place) -> str:
    """A noun's key."""
    return check_key(place.text(1, KEY_BYTES_MAX), place.path)


def read_name(place: Place) -> str:
    """A noun's name."""
    return check_name(place.text(1, NAME_CHARACTERS_MAX), place.path)


def rename(noun: Noun, place: Place) -> list[Command]:
    """The command that names a noun; none for the name that is shown, which may be its key."""
    name = read_name(place)
    return [] if name == (noun.name or noun.key) else [Rename(kind_of(noun), noun.key, name)]


def read_description(place: Place) -> str:
    """A noun's description, which may be empty; where it is left out it is."""
    return read_new_description(place) if place.said else ""


def read_new_description(place: Place) -> str:
    """A description that has to be there, as it is what is said."""
    return check_description(place.text(0, TEXT_CHARACTERS_MAX), place.path)
