"""The journal: who changed what, when, why, and what it moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Text, cast, func, insert, select

from allotment.change.commands import Command
from allotment.change.impact import Move
from allotment.model.plain import from_plain, to_plain
from allotment.model.text import check_description, check_name
from allotment.store.lineage import Head, follow
from allotment.store.schema import journal, token


@dataclass(frozen=True, slots=True)
class Entry:
    """One committed change: the one that led to `revision`.

    when      an instant, in UTC
    who       the author of the change, as the entry point knows them; "" if unknown
    dialect   the dialect it was asked in, such as "catalogfile"
    comment   why, in the author's words
    commands  what was asked
    moves     per allocation, how much of the treatment draw changed hands, in parts per million
    name      the name of the token whose id `who` is, once it is read; "" where there is none
    """

    revision: int
    when: datetime
    who: str
    dialect: str
    comment: str
    commands: tuple[Command, ...]
    moves: tuple[Move, ...]
    name: str = ""


def write(connection: Connection, space: str, entry: Entry, before: Head) -> Head:
    """Add an entry to a space's journal after `before`; the revision that it leads to.

    Raises InvalidInput for text that cannot be kept.
    """
    row = {
        "revision": entry.revision,
        "at": entry.when.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": check_name(entry.who, "$.who"),
        "dialect": check_name(entry.dialect, "$.dialect"),
        "comment": check_description(entry.comment, "$.comment"),
        "commands": to_plain(entry.commands),
        "moves": to_plain(entry.moves),
    }
    head = Head(entry.revision, follow(before.lineage, row))
    connection.execute(insert(journal).values(space=space, lineage=head.lineage, **row))
    return head


def fitting(
    connection: Connection, space: str, limit: int, before: int | None, size: int
) -> tuple[int, int | None]:
    """How many of the last entries are at most `limit` and, but for the first, `size` bytes as
    they are stored; and the revision of the last of them, where there are more."""
    parts = (func.length(cast(each, Text)) for each in (journal.c.commands, journal.c.moves))
    query = select(journal.c.revision, *parts).where(journal.c.space == space)
    if before is not None:
        query = query.where(journal.c.revision < before)
    count, last = 0, None
    for revision, *sizes in connection.execute(
        query.order_by(journal.c.revision.desc()).limit(limit + 1)
    ):
        size -= sum(sizes)
        if count == limit or (count and size < 0):
            return count, last
        count, last = count + 1, revision
    return count, None


def read(
    connection: Connection, space: str, limit: int, before: int | None = None
) -> tuple[Entry, ...]:
    """The last `limit` entries of a space, newest first; only those before a revision if given."""
    named = journal.outerjoin(token, token.c.id == journal.c.who)
    query = select(journal, token.c.name).select_from(named).where(journal.c.space == space)
    if before is not None:
        query = query.where(journal.c.revision < before)
    query = query.order_by(journal.c.revision.desc()).limit(limit)
    return tuple(
        Entry(
            revision=row.revision,
            when=datetime.fromisoformat(row.at),
            who=row.who,
            dialect=row.dialect,
            comment=row.comment,
            commands=from_plain(tuple[Command, ...], row.commands),
            moves=from_plain(tuple[Move, ...], row.moves),
            name=row.name or "",
        )
        for row in connection.execute(query)
    )
