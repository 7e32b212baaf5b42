"""Nouns to documents and back: a document is one noun as it was from one revision on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from allotment.change.kinds import KINDS
from allotment.change.users import follow
from allotment.errors import InvalidInput, StoreError
from allotment.model.catalog import Catalog
from allotment.model.keyed import Keyed
from allotment.model.plain import Plain, from_plain, to_plain


@dataclass(frozen=True, slots=True)
class Document:
    """One noun in its plain form; `body` is None where it was deleted."""

    kind: str
    key: str
    body: Plain


def changed(old: Catalog, new: Catalog) -> Iterator[Document]:
    """The documents of what differs between two catalogs, one of which came of the other.

    Nouns that both share are the same object, and mostly the same shard: they are never looked at.
    """
    for kind in KINDS:
        before, after = _shelf(old, kind), _shelf(new, kind)
        for was, now in zip(before.shards, after.shards, strict=True):
            if was is now:
                continue
            for key in sorted(was.keys() | now.keys()):
                noun = now.get(key)
                if noun is not was.get(key):
                    yield Document(kind, key, None if noun is None else to_plain(noun))


def amend(catalog: Catalog, documents: Iterable[Document], revision: int) -> Catalog:
    """The catalog at `revision`: an earlier one with what was written since.

    Raises StoreError for a document that cannot be read.
    """
    changes: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for document in documents:
        changes[document.kind][document.key] = _noun(document)
    shelves: dict[str, Any] = {
        f"{kind}s": _shelf(catalog, kind).change(nouns) for kind, nouns in changes.items() if nouns
    }
    new = replace(catalog, revision=revision, **shelves)
    return follow(catalog, new, [(kind, key) for kind, nouns in changes.items() for key in nouns])


def _shelf(catalog: Catalog, kind: str) -> Keyed[Any]:
    shelf: Keyed[Any] = getattr(catalog, f"{kind}s")
    return shelf


def _noun(document: Document) -> object:
    if document.body is None:
        return None
    try:
        noun: object = from_plain(KINDS[document.kind], document.body)
    except InvalidInput as error:
        raise StoreError(
            f"the store's {document.kind} {document.key!r} cannot be read: {error}"
        ) from error
    return noun
