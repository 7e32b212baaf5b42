"""What a store holds, against what writers asked for and what they were told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from allotment.change.apply import apply
from allotment.change.commands import Command, Create
from allotment.change.kinds import KINDS, nouns_of
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain
from allotment.store import Store, schema
from faults.storm import WRITERS, Storm, own_nouns


def commit(database: str | Path, *commands: Command) -> Catalog:
    """Change a store behind the servers' backs; returns what it holds then."""
    with Store.open(database) as store:
        when = datetime.now(UTC)
        return store.commit(commands, who="test", when=when, dialect="native").stored.catalog


def lay(database: str | Path) -> Catalog:
    """Make a store with all that the writers need, and what readers read: nobody changes that."""
    nouns = [noun for author in range(WRITERS + 1) for noun in own_nouns(author)]
    return commit(database, *map(Create, nouns))


def check_history(database: str | Path, storm: Storm, base: Catalog) -> Catalog:
    """Everything since `base` is what the writers did, whole; returns the catalog as it is now.

    Acknowledged changes are there under the revision that was told. Of the others, those that are
    there are whole. There is nothing else, and no revision is missing or used twice.
    """
    with Store.open(database, create=False) as store:
        latest = store.catalog()
        entries = store.journal(limit=latest.revision - base.revision)[::-1]
        documents = _documents(store, base.revision)
        answered = list(_answered(store))
    revisions = range(base.revision + 1, latest.revision + 1)
    assert [entry.revision for entry in entries] == list(revisions)

    told = [(write, revision) for author in storm.authors for write, revision in author.told]
    since = {revision: write for write, revision in told if revision > base.revision}
    assert len(since) == sum(revision > base.revision for _, revision in told)
    assert storm.last <= latest.revision
    kept = list(storm.pending)
    for entry in entries:
        if entry.revision in since:
            assert since[entry.revision].made(entry), (since[entry.revision], entry)
        else:
            (write,) = [write for write in kept if write.made(entry)]
            kept.remove(write)

    # What the journal says was asked, done again, gives the very documents that are there.
    catalog = base
    for entry in entries:
        before, catalog = catalog, apply(catalog, entry.commands).catalog
        changed = set(_changed(before, catalog))
        assert changed
        assert {(kind, key) for at, kind, key in documents if at == entry.revision} == changed
    assert to_plain(catalog) == to_plain(latest)
    assert {at for at, _, _ in documents} == set(revisions)

    # An answer is kept for another time if, and only if, what it answered is there.
    assert sorted(revision for revision in answered if revision > base.revision) == list(revisions)
    return latest


def check_file(path: Path) -> None:
    """SQLite finds nothing wrong with its file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _changed(before: Catalog, after: Catalog) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        old, new = nouns_of(before, kind), nouns_of(after, kind)
        for key in set(old) | set(new):
            if old.get(key) is not new.get(key):
                yield kind, key


def _documents(store: Store, after: int) -> set[tuple[int, str, str]]:
    table = schema.document.c
    query = select(table.revision, table.kind, table.key).where(table.revision > after)
    with store._database.transaction(writes=False) as connection:
        return {(revision, kind, key) for revision, kind, key in connection.execute(query)}


def _answered(store: Store) -> Iterator[int]:
    """The revisions that sticky answers are of."""
    with store._database.transaction(writes=False) as connection:
        for answer in connection.execute(select(schema.idempotency.c.answer)).scalars():
            headers = dict(json.loads(answer)["headers"])
            yield int(headers["allotment-revision"])
