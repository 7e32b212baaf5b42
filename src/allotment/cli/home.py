"""Where a command's catalog lives: in a store, or behind a running server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a command that asks nothing of a home needs none of these
    from allotment.change.commands import Command
    from allotment.change.impact import Move
    from allotment.model.catalog import Catalog
    from allotment.server.sticky.keep import KeptCounts
    from allotment.server.sticky.rows import StickyRow
    from allotment.store import Entry, Scope, Token


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a commit: the revision it led to, and what it moved."""

    revision: int
    moves: tuple[Move, ...]


class Home(Protocol):
    """What the commands ask of a store and of a server alike; `name` is what users call it."""

    @property
    def name(self) -> str:
        """The file, the database or the server, without what is secret in its address."""

    @property
    def is_new(self) -> bool:
        """Whether there is nothing there yet, but would be made."""

    def catalog(self, revision: int | None = None) -> Catalog:
        """The catalog at a revision, or the latest; raises NotFound for one that is not there."""

    def commit(
        self,
        commands: Sequence[Command],
        *,
        comment: str,
        who: str | None = None,
        dialect: str = "native",
        expect_revision: int | None = None,
    ) -> Outcome:
        """Keep what the commands make of the catalog, if it is at the revision expected."""

    def journal(self, limit: int, before: int | None) -> tuple[Entry, ...]:
        """The last changes, newest first; before a revision, to page on."""

    def kept(
        self, experiment: str, iteration: int, units: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """What is kept in an iteration for those of some units that have something kept."""

    def keep(self, rows: Sequence[StickyRow]) -> KeptCounts:
        """Keep assignments that were made elsewhere, all of these or none; as `POST /v1/kept`."""

    def spaces(self) -> tuple[str, ...]:
        """The names of all spaces."""

    def create_space(self, name: str, copy_from: str | None) -> None:
        """Make a space with the flags and layers of another of its project."""

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, expired and revoked ones too; their text is not stored."""

    def create_token(
        self, scope: Scope, space: str, name: str, days: int | None
    ) -> tuple[Token, str]:
        """Make a token and tell its text, which is not kept.

        It reaches `space`, "project/environment", where either may be "*", for so many days, or
        None for ever.
        """

    def revoke_token(self, id_: str) -> None:
        """Make a token worthless; raises NotFound where there is none of that id."""

    def close(self) -> None:
        """Give back what is held open."""
