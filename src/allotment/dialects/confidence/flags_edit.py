"""What a PATCH changes of a document that is shown; and fields of it that may say nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.mask import WHOLE, Shape, implied, masked, read_mask
from allotment.dialects.wire.place import ABSENT, Place
from allotment.dialects.wire.source import Tree
from allotment.model.limits import TEXT_CHARACTERS_MAX

MASK: Final = "updateMask"


def read_edits(
    asked: Asked, shown: dict[str, Tree], shape: Shape, unwritten: Collection[str]
) -> dict[str, Place]:
    """Each field that comes to hold another value than is shown, with the place of that value.

    The `unwritten` fields are shown and not written here: what a body says of them is not read.
    """
    body = asked.body.fields((*shape, *unwritten))
    told = {name: each.tree() for name, each in body.entries(0, len(shape) + len(unwritten))}
    said: dict[str, Tree] = {name: told[name] for name in shape if name in told}
    mask = read_mask(asked.query.at(MASK), shape)
    paths = implied(said, shape) if mask is None else mask
    if WHOLE in paths:
        paths = tuple((name,) for name in shape)
    found = masked(shown, said, paths)
    document = found if isinstance(found, dict) else {}
    return {
        name: Place(document.get(name, ABSENT), f"$.{name}")
        for name in dict.fromkeys(path[0] for path in paths)
        if name not in document or not alike(document[name], shown.get(name))
    }


def read_text(place: Place, most: int = TEXT_CHARACTERS_MAX) -> str:
    """Text of at most so many characters; none where nothing is said."""
    return place.text(0, most) if place.given and not place.null else ""


def read_note(place: Place) -> Tree:
    """What is kept as it comes; None where nothing is said."""
    return place.tree() if place.given else None
