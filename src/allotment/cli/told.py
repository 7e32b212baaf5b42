"""What a server tells, read: catalogs, changes, tokens. The server's `native` rooms write it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allotment.change.commands import Command
from allotment.change.impact import Move
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.references import follow
from allotment.cli.home import Outcome
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.instant import read_instant
from allotment.model.plain import from_plain
from allotment.store import Entry, Scope, Stored, Token


def stored_told(snapshot: Any) -> Stored:
    """The catalog of a snapshot, with its index and its lineage."""
    catalog: Catalog = from_plain(Catalog, snapshot["catalog"])
    nouns = [(kind, key) for kind in KINDS for key in nouns_of(catalog, kind)]
    followed = follow(EMPTY, catalog, nouns)
    return Stored(snapshot["space"], followed, lineage=snapshot["lineage"])


def outcome_told(done: Any) -> Outcome:
    """What came of a commit."""
    return Outcome(done["revision"], from_plain(tuple[Move, ...], done["moves"]))


def entries_told(page: Any) -> tuple[Entry, ...]:
    """The changes on a page of the journal."""
    return tuple(map(_entry, page["entries"]))


def _entry(told: Any) -> Entry:
    return Entry(
        revision=told["revision"],
        when=datetime.fromisoformat(told["when"]),
        who=told["who"],
        dialect=told["dialect"],
        comment=told["comment"],
        commands=from_plain(tuple[Command, ...], told["commands"]),
        moves=from_plain(tuple[Move, ...], told["moves"]),
    )


def kept_told(page: Any) -> tuple[tuple[str, ...], ...]:
    """What is kept for each unit that was asked for."""
    kept: tuple[tuple[str, ...], ...] = from_plain(tuple[tuple[str, ...], ...], page["kept"])
    return kept


def spaces_told(page: Any) -> tuple[str, ...]:
    """The names of spaces."""
    return tuple(one["name"] for one in page["spaces"])


def tokens_told(page: Any) -> tuple[Token, ...]:
    """A list of tokens."""
    return tuple(map(_token, page["tokens"]))


def new_token_told(made: Any) -> tuple[Token, str]:
    """A token that was just made, and its text."""
    return _token(made), made["token"]


def _token(told: Any) -> Token:
    """A token; its digest stays with the server."""
    ends = (told["expires_at"], told["revoked_at"])
    expires, revoked = (None if end is None else read_instant(end, "$") for end in ends)
    created, scope = read_instant(told["created_at"], "$"), Scope(told["scope"])
    return Token(told["id"], "", scope, told["space"], told["name"], created, expires, revoked)
