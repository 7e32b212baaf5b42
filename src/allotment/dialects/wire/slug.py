"""A key for a noun that arrives with nothing but a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import count
from typing import Final

# Room is left for a number below the limit of a key.
_LENGTH_MAX: Final = 64

_OTHERS: Final = re.compile(r"[^a-z0-9._]+")
_EDGES: Final = "-._"


def slug(name: str, taken: Callable[[str], bool], instead: str) -> str:
    """The name in lower-case ASCII letters, digits and hyphens, as a key that is not `taken`.

    A key that is taken gets -2, -3 and so on. A name without a letter or digit of ASCII leaves
    nothing: then the key is made from `instead`.

    >>> slug("Nouvelle Été!", lambda key: False, "flag")
    'nouvelle-ete'
    >>> slug("Button", {"button", "button-2"}.__contains__, "flag")
    'button-3'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = _OTHERS.sub("-", plain)[:_LENGTH_MAX].strip(_EDGES) or instead
    return numbered(base, taken)


def numbered(base: str, taken: Callable[[str], bool]) -> str:
    """The base where it is free, else with -2, -3 and so on."""
    if not taken(base):
        return base
    return next(key for n in count(2) if not taken(key := f"{base}-{n}"))
