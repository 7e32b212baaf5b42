"""Ids that a request chooses for a new noun, or leaves to us."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from allotment.dialects.confidence.codes import taken
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.spelling import BASE36

# The vendor says of flags that they have four characters at least.
LEAST: Final = {"flag": 4, "variant": 1, "segment": 1}
MOST: Final = 63

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_FRESH_BYTES: Final = 12


def read_id(asked: Asked, kind: str, noun: str, is_taken: Callable[[str], bool]) -> str:
    """The id that the query gives, as `flagId` for a flag; else 20 fresh characters.

    `kind` is this API's word for what is made, `noun` ours. Raises Refusal, 409, for an id that
    another one has.
    """
    place = asked.query.at(f"{kind}Id")
    if not place.given:
        return BASE36.spell(asked.given.fresh(_FRESH_BYTES))
    key = place.text(LEAST[kind], MOST)
    if not _ID.match(key):
        raise place.refusal(
            "an id is made of a to z, 0 to 9 and hyphens, and begins with no hyphen"
        )
    if is_taken(key):
        raise taken(noun, place.path)
    return key
