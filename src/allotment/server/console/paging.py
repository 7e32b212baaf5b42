"""A list a page at a time, for nouns that need no more than a search by their text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Generic, Protocol, TypeVar

from pydantic import Field

from allotment.dialects.wire.model import DIGITS, Body

PAGE_NOUNS: Final = 50


class NounsQuery(Body):
    """Which nouns of a kind are shown."""

    q: Annotated[str, Field(max_length=1024)] = ""
    page: Annotated[int, Field(ge=1, le=1_000_000), DIGITS] = 1


class _Named(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...


N = TypeVar("N", bound=_Named)
L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class NounPage(Generic[L]):
    """A page of a list: `found` by the search, of `total`."""

    lines: tuple[L, ...]
    found: int
    total: int
    page: int
    pages: int


def noun_page(nouns: Mapping[str, N], query: NounsQuery) -> NounPage[N]:
    """The page that a query asks for, of the nouns in the order of their keys."""
    words = query.q.casefold().split()
    found = [each for each in nouns.values() if not words or _has(each, words)]
    pages = max(1, -(-len(found) // PAGE_NOUNS))
    page = min(query.page, pages)
    lines = tuple(found[(page - 1) * PAGE_NOUNS : page * PAGE_NOUNS])
    return NounPage(lines, len(found), len(nouns), page, pages)


def _has(noun: _Named, words: Iterable[str]) -> bool:
    text = f"{noun.key}\n{noun.name}\n{noun.description}".casefold()
    return all(word in text for word in words)
