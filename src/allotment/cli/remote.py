"""A running server as the commands see it, and what it answers, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

from allotment.change.commands import Command
from allotment.change.impact import Move
from allotment.cli.home import Outcome
from allotment.cli.http_client import HttpClient
from allotment.errors import InvalidInput, StoreError
from allotment.model.catalog import Catalog
from allotment.model.instant import read_instant
from allotment.model.plain import from_plain, to_plain
from allotment.server.http.etags import catalog_version, etag
from allotment.server.sticky.keep import KeptCounts
from allotment.server.sticky.rows import StickyRow
from allotment.sources import sent_catalog
from allotment.store import Entry, Head, Scope, Stored, Token

T = TypeVar("T")

# The server gives no more changes at once.
_PAGE: Final = 1_000

# What is kept is asked for so many units at once: some 10 MB where their keys are the longest.
_UNITS: Final = 10_000


class Remote:
    """The server at `url`, called with a token, in a given space or in the token's own."""

    is_new = False  # a running server has a store

    def __init__(self, url: str, token: str | None, space: str | None) -> None:
        self._server = HttpClient(url, token, space)
        self.name = self._server.url
        self._read_heads: dict[int, Head] = {}

    def catalog(self, revision: int | None = None) -> Catalog:
        """The catalog at a revision, or the latest."""
        query = {"revision": revision}
        found = self._get("/v1/snapshot", Scope.READ, _stored, query)
        self._read_heads[found.head.revision] = found.head
        return found.catalog

    def commit(
        self,
        commands: Sequence[Command],
        *,
        comment: str,
        who: str | None = None,
        dialect: str = "native",
        expect_revision: int | None = None,
    ) -> Outcome:
        """Have the server commit; who asks, it knows by the token."""
        if who is not None:
            raise InvalidInput("a server knows by the token who asks; --who is for a store")
        body = {"commands": to_plain(tuple(commands)), "comment": comment, "dialect": dialect}
        head = None if expect_revision is None else self._read_heads[expect_revision]
        tag = None if head is None else etag(catalog_version(head))
        done = self._server.ask("POST", "/v1/commands", Scope.WRITE, body=body, if_match=tag)
        return self._read(_outcome, done)

    def journal(self, limit: int, before: int | None) -> tuple[Entry, ...]:
        """The last changes, newest first, asked for page by page."""
        entries: tuple[Entry, ...] = ()
        while len(entries) < limit:
            wanted = min(limit - len(entries), _PAGE)
            query = {"limit": wanted, "before": before}
            page = self._get("/v1/journal", Scope.READ, _entries, query)
            entries += page
            if len(page) < wanted:
                break
            before = page[-1].revision
        return entries

    def kept(
        self, experiment: str, iteration: int, units: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """What is kept for some units, asked for some thousands at a time."""
        found: dict[str, Sequence[str]] = {}
        for start in range(0, len(units), _UNITS):
            some = units[start : start + _UNITS]
            body = {"experiment": experiment, "iteration": iteration, "units": some}
            page = self._server.ask("POST", "/v1/kept/read", Scope.READ, body=body)
            kept = self._read(_kept, page)
            found.update((unit, each) for unit, each in zip(some, kept, strict=True) if each)
        return found

    def keep(self, rows: Sequence[StickyRow]) -> KeptCounts:
        """Have the server keep rows."""
        body = {"rows": rows}
        done = self._server.ask("POST", "/v1/kept", Scope.WRITE, body=body)
        return self._read(_counts, done)

    def spaces(self) -> tuple[str, ...]:
        """The names of the spaces that the token reaches."""
        return self._get("/v1/spaces", Scope.ADMIN, _spaces)

    def create_space(self, name: str, copy_from: str | None) -> None:
        """Have the server make a space."""
        body = {"name": name} if copy_from is None else {"name": name, "copy_from": copy_from}
        self._server.ask("POST", "/v1/spaces", Scope.ADMIN, body=body)

    def tokens(self) -> tuple[Token, ...]:
        """The tokens that reach no further than the one in use."""
        return self._get("/v1/tokens", Scope.ADMIN, _tokens)

    def create_token(
        self, scope: Scope, space: str, name: str, days: int | None
    ) -> tuple[Token, str]:
        """Have the server make a token."""
        body = {"scope": scope, "space": space, "name": name, "days": days}
        made = self._server.ask("POST", "/v1/tokens", Scope.ADMIN, body=body)
        return self._read(_new_token, made)

    def revoke_token(self, id_: str) -> None:
        """Have the server make a token worthless."""
        self._server.ask("DELETE", f"/v1/tokens/{quote(id_, safe='')}", Scope.ADMIN)

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def _get(
        self,
        path: str,
        needs: Scope,
        read: Callable[[Any], T],
        query: dict[str, int | None] | None = None,
    ) -> T:
        return self._read(read, self._server.ask("GET", path, needs, query=query))

    def _read(self, read: Callable[[Any], T], plain: Any) -> T:
        try:
            return read(plain)
        except (InvalidInput, LookupError, TypeError, ValueError) as error:
            raise StoreError(
                f"the server at {self.name} answers what this Allotment does not know: "
                "are the two of one version?"
            ) from error


def _stored(snapshot: Any) -> Stored:
    """The catalog of a snapshot with its lineage."""
    return Stored(snapshot["space"], sent_catalog(snapshot), lineage=snapshot["lineage"])


def _outcome(done: Any) -> Outcome:
    """What came of a commit."""
    return Outcome(done["revision"], from_plain(tuple[Move, ...], done["moves"]))


def _entries(page: Any) -> tuple[Entry, ...]:
    """The changes on a page of the journal."""
    return tuple(map(_entry, page["entries"]))


def _entry(plain: Any) -> Entry:
    return Entry(
        revision=plain["revision"],
        when=datetime.fromisoformat(plain["when"]),
        who=plain["who"],
        dialect=plain["dialect"],
        comment=plain["comment"],
        commands=from_plain(tuple[Command, ...], plain["commands"]),
        moves=from_plain(tuple[Move, ...], plain["moves"]),
        name=plain["name"],
    )


def _kept(page: Any) -> tuple[tuple[str, ...], ...]:
    """What is kept for each unit that was asked for."""
    kept: tuple[tuple[str, ...], ...] = from_plain(tuple[tuple[str, ...], ...], page["kept"])
    return kept


def _counts(done: Any) -> KeptCounts:
    """What came of rows that were sent."""
    return KeptCounts(done["kept"], done["already_kept"], done["differing"])


def _spaces(page: Any) -> tuple[str, ...]:
    """The names of spaces."""
    return tuple(one["name"] for one in page["spaces"])


def _tokens(page: Any) -> tuple[Token, ...]:
    """A list of tokens."""
    return tuple(map(_token, page["tokens"]))


def _new_token(made: Any) -> tuple[Token, str]:
    """A token that was just made, and its text."""
    return _token(made), made["token"]


def _token(plain: Any) -> Token:
    """A token; its digest stays with the server."""
    ends = (plain["expires_at"], plain["revoked_at"])
    expires, revoked = (None if end is None else read_instant(end, "$") for end in ends)
    created, scope = read_instant(plain["created_at"], "$"), Scope(plain["scope"])
    return Token(
        plain["id"],
        "",
        scope,
        plain["space"],
        plain["name"],
        created,
        expires,
        revoked,
        plain["created_by"],
        plain["revoked_by"],
    )
