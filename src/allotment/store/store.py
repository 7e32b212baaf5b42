"""The store of one space: its catalog at any revision, the one way to change it, its journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, func, insert, select, tuple_, update

from allotment.change.apply import Change, apply
from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.errors import NotFound, StoreError
from allotment.model.catalog import EMPTY, Catalog
from allotment.store import schema, sqlite
from allotment.store.documents import Document, amend, changed
from allotment.store.journal import Entry, from_row, to_row


class Store:
    """A catalog that is kept: every revision of it, and the journal of what led there.

    It may be used from several threads and processes at once. The latest catalog that was read is
    remembered, so that reading again costs what changed since.
    """

    def __init__(self, engine: Engine, space: str = schema.DEFAULT_SPACE) -> None:
        self._engine = engine
        self._space = space
        self._known = EMPTY

    @classmethod
    def open(cls, path: str | Path, *, create: bool = True) -> Store:
        """The store in the SQLite file at `path`; a missing file is made unless `create` is false.

        Raises StoreError for a file that is not a store, or is one of another schema version.
        """
        path = Path(path)
        if not create and not path.exists():
            raise StoreError(f"there is no store at {path}; `allotment apply FILE` makes one")
        engine = sqlite.connect(path)
        try:
            sqlite.ready(engine)
        except StoreError:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def catalog(self, revision: int | None = None) -> Catalog:
        """The catalog at `revision`, or the latest; raises NotFound for one that is not there."""
        known = self._known  # before the transaction begins: never newer than what it sees
        with sqlite.transaction(self._engine, writes=False) as connection:
            latest = self._revision(connection)
            if revision is None:
                self._known = self._caught_up(connection, known, latest)
                return self._known
            if not 0 <= revision <= latest:
                raise NotFound(f"the store has the revisions 0 to {latest}; {revision} is none")
            return self._caught_up(connection, EMPTY, revision)

    def commit(  # noqa: PLR0913  # the journal asks each of them of whoever changes something
        self,
        commands: Sequence[Command],
        *,
        who: str,
        when: datetime,
        dialect: str,
        comment: str = "",
        policy: Policy = Policy.NATIVE,
    ) -> Change:
        """Apply `commands` to the latest catalog and keep what comes of it, in one transaction.

        Under the lock it first catches up with what others committed, so no change is lost and none
        is refused for being late. What `apply` refuses, and a store that cannot be written, leave
        everything as it was. Where nothing changes, nothing is written, and no revision is used.
        """
        with sqlite.transaction(self._engine, writes=True) as connection:
            latest = self._revision(connection)
            before = self._caught_up(connection, self._known, latest)
            change = apply(before, commands, policy)
            after = change.catalog
            if after.revision != latest:
                entry = Entry(
                    after.revision, when, who, dialect, comment, tuple(commands), change.moves
                )
                self._write(connection, changed(before, after), entry)
        self._known = after
        return change

    def journal(self, limit: int = 100, before: int | None = None) -> tuple[Entry, ...]:
        """The last `limit` entries, newest first; before the revision `before`, to page on."""
        table = schema.journal
        query = select(table).where(table.c.space == self._space)
        if before is not None:
            query = query.where(table.c.revision < before)
        query = query.order_by(table.c.revision.desc()).limit(limit)
        with sqlite.transaction(self._engine, writes=False) as connection:
            return tuple(from_row(row._asdict()) for row in connection.execute(query))

    def _revision(self, connection: Connection) -> int:
        row = schema.space
        # The lock on this row is what puts commits in order where the database locks rows.
        query = select(row.c.revision).where(row.c.name == self._space).with_for_update()
        revision: int = connection.execute(query).scalar_one()
        return revision

    def _caught_up(self, connection: Connection, known: Catalog, revision: int) -> Catalog:
        """The catalog at `revision`, given an earlier one."""
        if known.revision == revision:
            return known
        if known.revision > revision:
            raise StoreError(
                f"the store is at revision {revision}, but was at {known.revision} before: "
                "it has been put back from an older copy"
            )
        return amend(known, self._documents(connection, known.revision, revision), revision)

    def _documents(self, connection: Connection, after: int, until: int) -> Iterable[Document]:
        """The last version of each document written after one revision and until another."""
        table = schema.document
        noun = (table.c.kind, table.c.key)
        last = (
            select(*noun, func.max(table.c.revision))
            .where(table.c.space == self._space)
            .where(table.c.revision > after, table.c.revision <= until)
            .group_by(*noun)
        )
        query = (
            select(*noun, table.c.body)
            .where(table.c.space == self._space)
            .where(tuple_(*noun, table.c.revision).in_(last))
        )
        for kind, key, body in connection.execute(query):
            yield Document(kind, key, body)

    def _write(self, connection: Connection, documents: Iterable[Document], entry: Entry) -> None:
        home = {"space": self._space, "revision": entry.revision}
        rows = [{**home, "kind": d.kind, "key": d.key, "body": d.body} for d in documents]
        if rows:
            connection.execute(insert(schema.document), rows)
        connection.execute(insert(schema.journal).values(space=self._space, **to_row(entry)))
        row = schema.space
        connection.execute(
            update(row).where(row.c.name == self._space).values(revision=entry.revision)
        )
