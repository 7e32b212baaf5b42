"""How a dialect spells ids, and what key a noun has that arrives with nothing but a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from allotment.model.catalog import Catalog
from allotment.model.keyed import Keyed

V = TypeVar("V")

_BITS = 96


@dataclass(frozen=True, slots=True)
class Spelling:
    """A fixed length of digits of an alphabet, the first of them worth nothing.

    It goes both ways without loss: every id has one spelling, and other texts spell none.
    """

    digits: str
    length: int

    def spell(self, identity: str) -> str:
        """The spelling of 24 hex digits."""
        number, base = int(identity, 16), len(self.digits)
        text = ""
        for _ in range(self.length):
            number, digit = divmod(number, base)
            text = self.digits[digit] + text
        return text

    def read(self, text: str) -> str | None:
        """The 24 hex digits that `text` spells; None where it spells no id."""
        if len(text) != self.length or any(digit not in self.digits for digit in text):
            return None
        number = 0
        for digit in text:
            number = number * len(self.digits) + self.digits.index(digit)
        return f"{number:024x}" if number < 1 << _BITS else None

    def find(self, kind: str, nouns: Keyed[V], text: str, catalog: Catalog) -> V | None:
        """The noun of the kind, one of these nouns of a catalog, whose id `text` spells."""
        identity = self.read(text)
        keys = catalog.users.get(f"id:{kind}:{identity}", frozenset()) if identity else ()
        return next((nouns[key] for key in keys), None)


# What is easily misread, 0 O I l, is no digit of base58.
BASE58 = Spelling("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 22)
HEX = Spelling("0123456789abcdef", 24)
BASE36 = Spelling("0123456789abcdefghijklmnopqrstuvwxyz", 20)

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
