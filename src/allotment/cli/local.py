"""A store as the commands see it: a file on this machine, or a database."""

from __future__ import annotations

import getpass
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from allotment.change.commands import Command
from allotment.cli.home import Outcome
from allotment.errors import StoreError
from allotment.model.catalog import Catalog
from allotment.server.auth.new_token import minted
from allotment.server.sticky.keep import KeptCounts, keep_rows
from allotment.server.sticky.rows import StickyRow, checked
from allotment.store import Entry, Scope, Store, Token
from allotment.store.schema import DEFAULT_SPACE

_DAY: Final = 24 * 60 * 60 * 1000


class Local:
    """The store at `database`, a path or a URL; it is opened when it is first asked for something.

    Only what changes it makes a store where there is none.
    """

    def __init__(self, database: str, space: str | None) -> None:
        self.name = _shown(database)
        self._database = database
        self._space = space or DEFAULT_SPACE
        self._opened: Store | None = None

    @property
    def is_new(self) -> bool:
        """Whether there is no store in that place."""
        try:
            self._store()
        except StoreError as error:
            if error.code != "no_store":
                raise
            return True
        return False

    def catalog(self, revision: int | None = None) -> Catalog:
        """The catalog at a revision, or the latest."""
        return self._store().catalog(revision)

    def commit(
        self,
        commands: Sequence[Command],
        *,
        comment: str,
        who: str | None = None,
        dialect: str = "native",
        expect_revision: int | None = None,
    ) -> Outcome:
        """Commit under the login name, unless `who` names the author."""
        committed = self._store(create=True).commit(
            commands,
            who=who or login(),
            when=datetime.now(UTC),
            dialect=dialect,
            comment=comment,
            expect_revision=expect_revision,
        )
        return Outcome(committed.change.catalog.revision, committed.change.moves)

    def journal(self, limit: int, before: int | None) -> tuple[Entry, ...]:
        """The last changes, newest first."""
        return self._store().journal(limit, before)

    def kept(
        self, experiment: str, iteration: int, units: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """What is kept for some units; nothing where there is no store."""
        if self.is_new:
            return {}
        return self._store().kept_of(experiment, iteration, units)

    def keep(self, rows: Sequence[StickyRow]) -> KeptCounts:
        """Keep rows, checked by the catalog as it is now."""
        store = self._store()
        catalog = store.catalog()
        return keep_rows(store, checked(catalog, rows), catalog)

    def spaces(self) -> tuple[str, ...]:
        """The names of all spaces."""
        return self._store().spaces()

    def create_space(self, name: str, copy_from: str | None) -> None:
        """Make a space, and a store where there is none."""
        store = self._store(create=True)
        store.create_space(name, who=login(), when=datetime.now(UTC), copy_from=copy_from)

    def tokens(self) -> tuple[Token, ...]:
        """All tokens."""
        return self._store().tokens()

    def create_token(
        self, scope: Scope, space: str, name: str, days: int | None
    ) -> tuple[Token, str]:
        """Make a token, and a store where there is none."""
        now = round(time.time() * 1000)
        end = None if days is None else now + days * _DAY
        secret = secrets.token_urlsafe(32)
        token, text = minted(
            scope, space, name, secret=secret, now=now, who=login(), expires_at=end
        )
        self._store(create=True).add_token(token)
        return token, text

    def revoke_token(self, id_: str) -> None:
        """Make a token worthless."""
        self._store().revoke_token(id_, datetime.now(UTC), who=login())

    def close(self) -> None:
        """Give back every connection."""
        if self._opened is not None:
            self._opened.close()

    def _store(self, *, create: bool = False) -> Store:
        if self._opened is None:
            # A new store has that one space: it is not made for who wants another.
            create = create and self._space == DEFAULT_SPACE
            self._opened = Store.open(self._database, self._space, create=create)
        return self._opened


def login() -> str:
    """Who runs this; the number of an account that has no name, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _shown(database: str) -> str:
    """The database without who may use it and what else its address holds."""
    if "://" not in database:
        return database
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):  # it is refused when it is opened
        return "the store"
    if url.get_backend_name() == "sqlite":
        return url.database or "the store"
    return f"{url.get_backend_name()}://{url.host or 'localhost'}/{url.database or ''}"
