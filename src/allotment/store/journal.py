"""The journal: who changed what, when, why, and what it moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from allotment.change.apply import Move
from allotment.change.commands import Command
from allotment.errors import InvalidInput
from allotment.model.plain import from_plain, to_plain


@dataclass(frozen=True, slots=True)
class Entry:
    """One committed change: the one that led to `revision`.

    when      an instant, in UTC
    who       whoever asked for the change, as the face knows them; "" where it does not
    dialect   the dialect it was asked in, such as "catalogfile"
    comment   why, in the words of who asked
    commands  what was asked
    moves     per allocation, how much of the treatment draw changed hands, in parts per million
    """

    revision: int
    when: datetime
    who: str
    dialect: str
    comment: str
    commands: tuple[Command, ...]
    moves: tuple[Move, ...]


def to_row(entry: Entry) -> dict[str, Any]:
    """The journal's columns; raises InvalidInput for a time without a zone."""
    if entry.when.tzinfo is None:
        raise InvalidInput("a time in the journal needs a time zone", "$.when")
    return {
        "revision": entry.revision,
        "at": entry.when.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": entry.who,
        "dialect": entry.dialect,
        "comment": entry.comment,
        "commands": to_plain(entry.commands),
        "moves": to_plain(entry.moves),
    }


def from_row(row: Mapping[str, Any]) -> Entry:
    """The entry that `to_row` spelled."""
    return Entry(
        revision=row["revision"],
        when=datetime.fromisoformat(row["at"]),
        who=row["who"],
        dialect=row["dialect"],
        comment=row["comment"],
        commands=from_plain(tuple[Command, ...], row["commands"]),
        moves=from_plain(tuple[Move, ...], row["moves"]),
    )
