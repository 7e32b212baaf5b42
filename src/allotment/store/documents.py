"""Nouns to documents and back: a document is one noun as it was from one revision on.

What the space keeps itself is one document more, of the kind and under the key "catalog".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, Text, cast, func, insert, select, tuple_

from allotment.change.kinds import CATALOG, KINDS, nouns_of
from allotment.change.noun_reader import noun_of_json, read_json, read_noun
from allotment.change.references import follow
from allotment.errors import StoreError
from allotment.model.catalog import Catalog
from allotment.model.keyed import Keyed
from allotment.model.plain import Plain, from_plain, to_plain
from allotment.store import spaces
from allotment.store.lineage import Head, check_continues
from allotment.store.schema import document, journal
from allotment.store.stored import Stored, Version


class Json(NamedTuple):
    """JSON that is not read yet."""

    text: str


_Kept: TypeAlias = tuple[tuple[str, str], ...]


class Document(NamedTuple):
    """One version of a noun in its plain form, or as the JSON of that; `body` is None where it was
    deleted."""

    kind: str
    key: str
    body: Plain | Json
    version: Version


def followed(known: Stored, documents: Sequence[Document], head: Head) -> Stored:
    """The space at `head`: an earlier state, and the documents that were written since.

    Raises StoreError for a document that cannot be read.
    """
    changes: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    kept = known.catalog.kept
    for one in documents:
        if one.kind == CATALOG:
            kept = _read(_kept, one)
        else:
            changes[one.kind][one.key] = _noun(one)
    by_field: dict[str, Any] = {
        f"{kind}s": nouns_of(known.catalog, kind).change(nouns)
        for kind, nouns in changes.items()
        if nouns
    }
    new = replace(known.catalog, revision=head.revision, kept=kept, **by_field)
    names = [(kind, key) for kind, nouns in changes.items() for key in nouns]
    versions = follow_versions(known.versions, documents)
    return Stored(known.space, follow(known.catalog, new, names), versions, head.lineage)


def changed(before: Stored, new: Catalog, at: int, who: str) -> Iterator[Document]:
    """The documents of what a change at the time `at`, asked for by `who`, made of a space.

    Nouns that both catalogs share are the same object, and mostly in the same shard: they cost
    nothing.
    """
    if new.kept != before.catalog.kept:
        version = _next(before, CATALOG, CATALOG, Version(new.revision, at, at, who, who))
        yield Document(CATALOG, CATALOG, to_plain(new.kept), version)
    for kind in KINDS:
        for key, _, noun in nouns_of(before.catalog, kind).differing(nouns_of(new, kind)):
            version = _next(before, kind, key, Version(new.revision, at, at, who, who))
            yield Document(kind, key, None if noun is None else to_plain(noun), version)


def _next(before: Stored, kind: str, key: str, first: Version) -> Version:
    """The version that a change makes; `first` is what it is where the noun is new."""
    known = before.versions.get(f"{kind}:{key}")
    if known is None:
        return first
    return replace(first, created_at=known.created_at, created_by=known.created_by)


def follow_versions(versions: Keyed[Version], documents: Iterable[Document]) -> Keyed[Version]:
    """The versions of nouns after these documents."""
    return versions.change(
        {f"{d.kind}:{d.key}": None if d.body is None else d.version for d in documents}
    )


def write(connection: Connection, space: str, documents: Iterable[Document]) -> None:
    """Add new documents to those of a space."""
    rows = [
        {
            "space": space,
            "kind": one.kind,
            "key": one.key,
            "revision": one.version.revision,
            "body": one.body,
            "created_at": one.version.created_at,
            "updated_at": one.version.updated_at,
        }
        for one in documents
    ]
    if rows:
        connection.execute(insert(document), rows)


def caught_up(connection: Connection, known: Stored, head: Head) -> Stored:
    """The space at `head`, given an earlier state; it costs what changed in between.

    Raises StoreError for a document that cannot be read, and for a store that no longer has the
    earlier state in its history.
    """
    if known.head == head:
        return known
    was = known.head
    check_continues(
        known.space, was, head, lambda number: spaces.lineage_at(connection, known.space, number)
    )
    documents = _between(connection, known.space, was.revision, head.revision)
    return followed(known, documents, head)


def _between(connection: Connection, space: str, after: int, until: int) -> Sequence[Document]:
    """The last version of each document written after one revision and until another."""
    noun = (document.c.kind, document.c.key)
    last = (
        select(*noun, func.max(document.c.revision))
        .where(document.c.space == space)
        .where(document.c.revision > after, document.c.revision <= until)
        .group_by(*noun)
    )
    # Who asked for a change stands in the journal: of the last one, and of the one that the noun
    # came with, which is the first of those with the time at which it came.
    other = document.alias()
    came = (
        select(func.min(other.c.revision))
        .where(other.c.space == document.c.space)
        .where(other.c.kind == document.c.kind, other.c.key == document.c.key)
        .where(other.c.created_at == document.c.created_at)
        .correlate(document)
        .scalar_subquery()
    )
    version = (
        document.c.revision,
        document.c.created_at,
        document.c.updated_at,
        _who(came),
        _who(document.c.revision),
    )
    query = (
        select(*noun, cast(document.c.body, Text), *version)
        .where(document.c.space == space)
        .where(tuple_(*noun, document.c.revision).in_(last))
    )
    versions: dict[tuple[Any, ...], Version] = {}  # what came by one change has one in common
    documents = []
    for kind, key, text, *rest in connection.execute(query):
        read = tuple(rest)
        if read not in versions:
            versions[read] = Version(*read)
        body = None if text is None else Json(text)
        documents.append(Document(kind, key, body, versions[read]))
    return documents


def written(
    connection: Connection, space: str, after: int, until: int
) -> Sequence[tuple[str, str]]:
    """The kind and key of every document written after one revision and until another, sorted."""
    noun = (document.c.kind, document.c.key)
    query = (
        select(*noun)
        .distinct()
        .where(document.c.space == space)
        .where(document.c.revision > after, document.c.revision <= until)
    )
    return sorted((kind, key) for kind, key in connection.execute(query))


def _who(revision: ColumnElement[int]) -> ColumnElement[str]:
    """Who asked for a revision of the space that a document is in; "" where that is not known."""
    row = select(journal.c.who).where(journal.c.space == document.c.space)
    found = row.where(journal.c.revision == revision).correlate(document)
    return func.coalesce(found.scalar_subquery(), "")


def _noun(document: Document) -> object:
    return None if document.body is None else _read(_noun_in, document)


def _noun_in(document: Document) -> object:
    if isinstance(document.body, Json):
        return noun_of_json(document.kind, document.body.text)
    return read_noun(document.kind, document.body)


def _kept(document: Document) -> _Kept:
    body = document.body
    kept: _Kept = from_plain(_Kept, read_json(body.text) if isinstance(body, Json) else body)
    return kept


def _read(read: Callable[[Document], Any], document: Document) -> Any:
    try:
        return read(document)
    except ValueError as error:
        raise StoreError(
            f"the store's {document.kind} {document.key!r} cannot be read: {error}"
        ) from error
