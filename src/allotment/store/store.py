"""The store of one space: its catalog at any revision, the one way to change it, its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection

from allotment.change.commands import Command
from allotment.change.impact import Change
from allotment.change.lifecycle import Policy
from allotment.model.catalog import Catalog
from allotment.store import (
    documents,
    journal,
    location,
    migrate,
    schema,
    spaces,
    sqlite,
    sticky,
    token,
)
from allotment.store.commit import Build, Origin, check_revision, commit, copied
from allotment.store.database import Database
from allotment.store.idempotency import Once, record, recorded
from allotment.store.journal import Entry
from allotment.store.lineage import Head
from allotment.store.sticky import StickyKey, StickyTreatment
from allotment.store.stored import Committed, Pulse, Stored, milliseconds
from allotment.store.token import Token


class Store:
    """A catalog that is kept: every revision of it, and the journal of what led there.

    It may be used from several threads and processes at once. The latest state that was read is
    remembered, so that reading again costs what changed since. Whatever is asked raises StoreError
    while the database is away, and works again when it is back.
    """

    def __init__(self, database: Database, space: str, known: dict[str, Stored]) -> None:
        self.space = space
        self._database = database
        # What was read last, by space, for all who share the connections. A thread that was
        # overtaken may put an older state back: reading from it costs more, and comes out the same.
        self._known = known

    @classmethod
    def open(
        cls, database: str | Path, space: str = schema.DEFAULT_SPACE, *, create: bool = True
    ) -> Store:
        """The store at a path, at `sqlite:///PATH`, or at `postgresql+psycopg://USER@HOST/NAME`.

        One of an earlier release is brought up to this one. A missing file, or the tables in a new
        database, are made unless `create` is false.

        Raises StoreError for a database that is away, is of something else, or of a later release,
        and NotFound for a space that is not there.
        """
        found = location.find(database, create=create)
        try:
            migrate.ready(found, create=create)
            return cls(found, schema.DEFAULT_SPACE, {}).at(space)
        except BaseException:
            found.close()
            raise

    def at(self, space: str) -> Store:
        """Another space, over the same connections; raises NotFound where there is none."""
        if space not in self._known:
            with self._database.transaction(writes=False) as connection:
                spaces.latest(connection, space)
        return Store(self._database, space, self._known)

    def close(self) -> None:
        """Give back every connection, those of this store's other spaces too."""
        self._database.close()

    def backup(self, target: Path) -> tuple[Path, ...]:
        """Copy the store as it is at one moment into new files; their paths.

        Raises StoreError where a file is there already, and for a store that is not SQLite.
        """
        return sqlite.backup(self._database, target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def spaces(self) -> tuple[str, ...]:
        """The names of all spaces, sorted."""
        with self._database.transaction(writes=False) as connection:
            return spaces.names(connection)

    def create_space(
        self,
        name: str,
        *,
        who: str,
        when: datetime,
        copy_from: str | None = None,
        copying: Callable[[str], None] = lambda _source: None,
    ) -> None:
        """Add the space "project/environment", with what is its project's: flags and layers.

        They come from `copy_from`, or else from the first of the project's spaces by name, without
        the experiments behind them, and are revision 1; with nothing to copy it starts empty.
        `copying` is called with the source space before that, and may refuse.
        Raises Conflict where there is such a space, NotFound where `copy_from` is none.
        """
        with self._database.transaction(writes=True) as connection:
            spaces.add(connection, name)
            siblings = [each for each in spaces.of_project(connection, name) if each != name]
            if source := copy_from or next(iter(siblings), None):
                copying(source)
                head = spaces.locked(connection, [source])[source]
                origin = self._latest(connection, source, head)
                cause = Origin(who, when, "native", f"copied from {source}")
                commit(connection, Stored(name), copied(origin.catalog), cause)

    def pulse(self) -> Pulse:
        """What there is to be read, by one cheap query: for those who watch."""
        with self._database.transaction(writes=False) as connection:
            return spaces.pulse(connection)

    def read(self, revision: int | None = None) -> Stored:
        """The space at `revision`, or at the latest; raises NotFound for one that is not there."""
        known = self._known.get(self.space)  # before the first query: never newer than what it sees
        with self._database.transaction(writes=False) as connection:
            latest = spaces.latest(connection, self.space)
            if revision is None:
                return self._caught_up(connection, known or Stored(self.space), latest)
            head = spaces.head_at(connection, self.space, revision)
            return documents.caught_up(connection, Stored(self.space), head)

    def head(self, revision: int | None = None) -> Head:
        """One revision of the space with its lineage, or the latest; raises NotFound as `read`."""
        with self._database.transaction(writes=False) as connection:
            if revision is None:
                return spaces.latest(connection, self.space)
            return spaces.head_at(connection, self.space, revision)

    def written(self, since: Head, until: Head) -> Sequence[tuple[str, str]] | None:
        """The kind and key of all that was written after one revision and until another.

        None where the two are not, in this order, of the history that the store has.
        """
        with self._database.transaction(writes=False) as connection:
            for head in (since, until):
                at = spaces.lineage_at(connection, self.space, head.revision)
                if (at or "") != head.lineage:
                    return None
            if since.revision > until.revision:
                return None
            return documents.written(connection, self.space, since.revision, until.revision)

    def read_whole(self) -> Stored:
        """The space, read in full, without what was read of it before."""
        with self._database.transaction(writes=False) as connection:
            latest = spaces.latest(connection, self.space)
            return self._caught_up(connection, Stored(self.space), latest)

    def adopt(self, when: datetime) -> None:
        """Say that the store's history is the right one: every node then loads all of it whole."""
        with self._database.transaction(writes=True) as connection:
            spaces.adopt(connection, milliseconds(when))

    def catalog(self, revision: int | None = None) -> Catalog:
        """The catalog at `revision`, or the latest; raises NotFound for one that is not there."""
        return self.read(revision).catalog

    def change(
        self,
        build: Build,
        origin: Origin,
        *,
        whole_project: bool = False,
        once: Once | None = None,
    ) -> dict[str, Committed]:
        """Commit the commands that `build` makes of the latest state, in one transaction.

        `build` runs under the lock of the space, after the store has caught up with what others
        committed: what it checks still holds when its commands are applied. With `whole_project` it
        sees, and may change, all spaces of the project; they are locked together. It should be
        quick and pure. What `build` or `apply` raises, and a store that cannot be written, leave
        everything as it was. Where nothing changes, nothing is written, and no revision used.

        A change that was made before under the key of `once` is not built again: its recorded
        answer is returned. With another digest it is IdempotencyMismatch. Returns what was
        committed, by space. Raises NotFound for a space that is not there.
        """
        at = milliseconds(origin.when)
        with self._database.transaction(writes=True) as connection:
            latest = self._locked(connection, whole_project=whole_project)
            before = {name: self._latest(connection, name, latest[name]) for name in latest}
            own = before[self.space]
            if once and (answer := recorded(connection, self.space, once, at)) is not None:
                return {self.space: Committed(Change(own.catalog), own, answer, answer)}
            changes = build(before)
            committed = {
                name: commit(connection, before[name], commands, origin)
                for name, commands in changes.items()
            }
            if once:
                done = committed.get(self.space) or Committed(Change(own.catalog), own)
                answer = once.record(done.stored, changes.get(self.space, ()))
                record(connection, self.space, once, answer, at)
                committed[self.space] = replace(done, answer=answer)
        self._known.update({name: done.stored for name, done in committed.items()})
        return committed

    def commit(  # noqa: PLR0913  # the journal asks most of them
        self,
        commands: Sequence[Command],
        *,
        who: str,
        when: datetime,
        dialect: str,
        comment: str = "",
        policy: Policy = Policy.NATIVE,
        expect_revision: int | None = None,
        once: Once | None = None,
    ) -> Committed:
        """Commit commands that are known already; as `change`.

        Raises PreconditionFailed where the catalog is not at `expect_revision`, if one is given.
        """

        def build(states: Mapping[str, Stored]) -> Mapping[str, Sequence[Command]]:
            check_revision(states[self.space], expect_revision)
            return {self.space: commands}

        origin = Origin(who, when, dialect, comment, policy)
        return self.change(build, origin, once=once)[self.space]

    def journal(self, limit: int = 100, before: int | None = None) -> tuple[Entry, ...]:
        """The last `limit` entries, newest first; before the revision `before`, to page on."""
        with self._database.transaction(writes=False) as connection:
            return journal.read(connection, self.space, limit, before)

    def journal_page(
        self, limit: int, before: int | None, size: int
    ) -> tuple[tuple[Entry, ...], int | None]:
        """As many of them as fit into so many bytes, and at least one; and before which revision
        the next page is, if there is one."""
        with self._database.transaction(writes=False) as connection:
            count, following = journal.fitting(connection, self.space, limit, before, size)
            return journal.read(connection, self.space, count, before), following

    def sticky(self, keys: Iterable[StickyKey]) -> dict[StickyKey, StickyTreatment]:
        """What is kept for these lots of the space; nothing for those that are not there."""
        with self._database.keeping.transaction(writes=False) as connection:
            return sticky.read(connection, self.space, keys)

    def kept_of(
        self, experiment: str, iteration: int, units: Iterable[str]
    ) -> dict[str, Sequence[str]]:
        """What is kept in an iteration for those of some units that have something kept."""
        keys = (StickyKey(experiment, iteration, unit) for unit in units)
        return {key.unit: each.treatments for key, each in self.sticky(keys).items()}

    def keep(
        self,
        given: Mapping[StickyKey, str],
        *,
        revision: int,
        when: datetime,
        behind: Mapping[StickyKey, StickyTreatment] | None = None,
    ) -> dict[StickyKey, StickyTreatment]:
        """Keep treatments where none was kept before, decided at `revision`.

        `behind` has what is kept for some of them and counts no longer: theirs are kept in its
        place. What is kept from now on is in the answer. No revision comes of it, and it waits for
        no change of the catalog.
        """
        at = milliseconds(when)
        with self._database.keeping.transaction(writes=True) as connection:
            new = {
                key: StickyTreatment(treatment, revision, at) for key, treatment in given.items()
            }
            return sticky.keep(connection, self.space, new, behind or {})

    def tokens(self) -> tuple[Token, ...]:
        """Every token of the database, revoked and expired ones too, the oldest first."""
        with self._database.transaction(writes=False) as connection:
            return token.all_tokens(connection)

    def add_token(self, new: Token) -> None:
        """Keep a token; raises Conflict where its id or its digest is another's."""
        with self._database.transaction(writes=True, urgent=True) as connection:
            token.add(connection, new)

    def add_first_token(self, new: Token) -> bool:
        """Keep a token if there has never been one; of many that try at once one is kept."""
        with self._database.transaction(writes=True) as connection:
            return token.add_first(connection, new)

    def revoke_token(self, token_id: str, when: datetime, *, who: str = "") -> None:
        """End a token for good; one that has ended keeps its time. Raises NotFound."""
        with self._database.transaction(writes=True, urgent=True) as connection:
            token.revoke(connection, token_id, milliseconds(when), who)

    def _locked(self, connection: Connection, *, whole_project: bool) -> dict[str, Head]:
        """The locked space, or the spaces of its project, with their latest revisions."""
        if not whole_project:
            return spaces.locked(connection, [self.space])
        wanted: set[str] = set()
        # A space that was added while this waited for the lock belongs to the project too.
        while (there := {self.space, *spaces.of_project(connection, self.space)}) != wanted:
            wanted = there
            latest = spaces.locked(connection, wanted)
        return latest

    def _latest(self, connection: Connection, space: str, latest: Head) -> Stored:
        """A space at its latest revision, which nothing overtakes while it is locked."""
        return self._caught_up(connection, self._known.get(space) or Stored(space), latest)

    def _caught_up(self, connection: Connection, known: Stored, latest: Head) -> Stored:
        stored = documents.caught_up(connection, known, latest)
        self._known[known.space] = stored
        return stored
