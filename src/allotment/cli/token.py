"""`allotment token`: who may call a server, how far, and for how long."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from allotment.cli.consent import Yes, ask
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson
from allotment.model.instant import show_instant
from allotment.server.auth.access import EVERYWHERE
from allotment.store import Scope, Token
from allotment.store.schema import DEFAULT_SPACE

NAME = "token"
ABOUT = "Who may call a server, how far, and for how long."

_REACH: Final = re.compile(r"(\*|[A-Za-z0-9._-]+)/(\*|[A-Za-z0-9._-]+)")

ScopeOption = Annotated[
    Scope, typer.Option("--scope", help="What it is good for; each covers those before it.")
]
Reach = Annotated[
    str,
    typer.Option(
        "--space",
        metavar="PROJECT/ENVIRONMENT",
        envvar="ALLOTMENT_SPACE",
        help="The space it reaches; web/* is every environment of a project, all is every space.",
    ),
]
Name = Annotated[str, typer.Option(help="What you call it: who or what has it.")]
Days = Annotated[
    int | None,
    typer.Option("--expires-days", min=1, max=36_500, help="Default: it does not expire."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `token list` shows.")]


def create(  # noqa: PLR0913  # each is an option
    *,
    home: Home,
    scope: ScopeOption,
    space: Reach = DEFAULT_SPACE,
    name: Name = "",
    expires_days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once: only its digest is kept.

    It reaches one space, unless --space says more.
    """
    space = EVERYWHERE if space == "all" else space
    if not _REACH.fullmatch(space):
        raise typer.BadParameter(
            f"a space is written PROJECT/ENVIRONMENT, either of which may be *, not {space!r}"
        )
    token, text = home.create_token(scope, space, name, expires_days)
    if as_json:
        print_json({**_plain(token), "token": text})
        return
    results.out(text, highlight=False)
    until = "" if token.expires_at is None else f", until {_day(token.expires_at)}"
    notes.print(
        f"token {token.id} of scope {scope} for {space}{until}; it is not shown again",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if "*" not in space and space not in home.spaces():
        notes.print(f"note: there is no space {space} yet", markup=False, soft_wrap=True)


def list_(*, home: Home, as_json: AsJson = False) -> None:
    """List the tokens; none of them can be shown itself."""
    tokens = home.tokens()
    if as_json:
        print_json([_plain(token) for token in tokens])
        return
    now = round(time.time() * 1000)
    table = Table(box=SIMPLE_HEAD)
    for heading in ("id", "scope", "space", "name", "made", "holds"):
        table.add_column(heading)
    for token in tokens:
        cells = (token.id, token.scope, token.space, token.name, _day(token.created_at))
        table.add_row(*map(escape, cells), *_holds(token, now))
    results.print(table)


def revoke(id_: Id, *, home: Home, yes: Yes = False) -> None:
    """Make a token worthless, within a second on every server of the store.

    Callers that use it are refused from then on; that is asked first.
    """
    found = [] if yes else [token for token in home.tokens() if token.id == id_]
    for token in found:
        named = f" {token.name}" if token.name else ""
        what = f"this revokes token {id_}{named} of scope {token.scope} for {token.space}"
        ask(what, "Revoke it?")
    home.revoke_token(id_)
    notes.print(f"token {id_} is revoked", markup=False, highlight=False, soft_wrap=True)


def _holds(token: Token, now: int) -> tuple[str]:
    """Until when a token holds, or why it does no longer."""
    if token.revoked_at is not None:
        return (f"[dim]revoked {_day(token.revoked_at)}[/]",)
    if token.expires_at is None:
        return ("for ever",)
    if token.expires_at <= now:
        return (f"[dim]expired {_day(token.expires_at)}[/]",)
    return (f"until {_day(token.expires_at)}",)


def _plain(token: Token) -> dict[str, Any]:
    """A token as plain data, without its digest."""
    times = (token.created_at, token.expires_at, token.revoked_at)
    created, expires, revoked = (None if at is None else show_instant(at) for at in times)
    return {
        "id": token.id,
        "scope": token.scope.value,
        "space": token.space,
        "name": token.name,
        "created_at": created,
        "expires_at": expires,
        "revoked_at": revoked,
        "created_by": token.created_by,
        "revoked_by": token.revoked_by,
    }


def _day(at: int) -> str:
    return show_instant(at)[: len("2026-11-21")]
