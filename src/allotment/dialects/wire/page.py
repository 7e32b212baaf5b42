"""Lists in pages, by a token that says where the last page ended."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from typing import Final, Generic, TypeVar

from allotment.errors import InvalidInput
from allotment.model.keyed import Keyed

V = TypeVar("V")

_MARK_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class Page(Generic[V]):
    """Some of a list, and the token of the next page; None at the end."""

    items: tuple[V, ...]
    token: str | None


def page(  # noqa: PLR0913  # what a list says of a page
    name: str,
    nouns: Keyed[V],
    wanted: Callable[[V], bool],
    take: int,
    token: str | None,
    *,
    path: str,
) -> Page[V]:
    """The first `take` of the nouns that are `wanted`, by key, after the page that gave the token.

    `name` is the list's, so that no list takes another's token. A token holds the last key that was
    shown: the pages show each noun that is there all along exactly once, whatever else comes
    and goes. Raises InvalidInput, with `path`, for a token that no page gave.
    """
    after = "" if token is None else _read(name, token, path)
    keys = nsmallest(
        take + 1,
        (
            key
            for part in nouns.shards
            for key, noun in part.items()
            if key > after and wanted(noun)
        ),
    )
    shown = keys[:take]
    more = _spell(name, shown[-1]) if len(keys) > take else None
    return Page(tuple(nouns[key] for key in shown), more)


def _spell(name: str, key: str) -> str:
    return urlsafe_b64encode(_mark(name, key) + key.encode()).decode().rstrip("=")


def _read(name: str, token: str, path: str) -> str:
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        key = data[_MARK_BYTES:].decode()
    except (ValueError, binascii.Error):
        key = ""
    if not key or _spell(name, key) != token:
        raise InvalidInput("this is not a token that a page of this list gave", path)
    return key


def _mark(name: str, key: str) -> bytes:
    """Some bytes that a made-up token will not have; no secret."""
    return blake2b(f"{name}\n{key}".encode(), digest_size=_MARK_BYTES).digest()
