"""Where a command's catalog lives: in a store, or behind a running server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import typer

from allotment.change.commands import Command
from allotment.change.impact import Move
from allotment.model.catalog import Catalog
from allotment.store import Entry, Scope, Token

DEFAULT_STORE: Final = "allotment.db"

_SPACE: Final = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")


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

    def spaces(self) -> tuple[str, ...]:
        """The names of all spaces."""

    def create_space(self, name: str, copy_from: str | None) -> None:
        """Make a space with the flags and layers of another of its project."""

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, also those that hold no longer; nobody knows their text."""

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


StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="PATH|URL",
        envvar=["ALLOTMENT_STORE", "ALLOTMENT_DATABASE_URL"],
        help="The store: an SQLite file, or a database's URL.",
    ),
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="ALLOTMENT_SERVER",
        help="A running server, in place of a store.",
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="ALLOTMENT_TOKEN",
        help="The token for the server; better in the environment, where others do not see it.",
    ),
]
SpaceOption = Annotated[
    str | None,
    typer.Option(
        "--space",
        metavar="PROJECT/ENVIRONMENT",
        envvar="ALLOTMENT_SPACE",
        help="The space; else the token's own, else default/production.",
    ),
]


def home_of_all_spaces(
    *,
    context: typer.Context,
    store: StoreOption = DEFAULT_STORE,
    server: ServerOption = None,
    token: TokenOption = None,
) -> Home:
    """The home that the options name, for what concerns all of its spaces."""
    return home_of(context=context, store=store, server=server, token=token)


def home_of(
    *,
    context: typer.Context,
    store: StoreOption = DEFAULT_STORE,
    server: ServerOption = None,
    token: TokenOption = None,
    space: SpaceOption = None,
) -> Home:
    """The home that the options name; it is closed when the command is done.

    What is typed wins over the environment. Nothing is opened before it is asked for something.
    """
    given = {name: _given(context, name) for name in ("store", "server", "token")}
    if space is not None and not _SPACE.fullmatch(space):
        raise typer.BadParameter(f"a space is written PROJECT/ENVIRONMENT, not {space!r}")
    if given["store"] == given["server"] != "DEFAULT":
        raise typer.BadParameter(
            "a store and a server are both given; which of them is meant? (--store or --server, "
            "and ALLOTMENT_STORE, ALLOTMENT_DATABASE_URL or ALLOTMENT_SERVER in the environment)"
        )
    home: Home
    if server is None or given["store"] == "COMMANDLINE":
        if given["token"] == "COMMANDLINE":
            raise typer.BadParameter("--token is for a --server; a store asks for none")
        from allotment.cli.local import Local  # noqa: PLC0415  # only one of the two is needed

        home = Local(store, space)
    else:
        from allotment.cli.remote import Remote  # noqa: PLC0415

        home = Remote(server, token, space)
    context.call_on_close(home.close)
    return home


def _given(context: typer.Context, name: str) -> str:
    """How an option got its value: "COMMANDLINE", "ENVIRONMENT" or "DEFAULT"."""
    how: Any = context.get_parameter_source(name)
    return "DEFAULT" if how is None else str(how.name)
