"""`allotment apply FILE`: make the catalog what a file says."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.home import Home
from allotment.cli.options import AsJson, CatalogFile, base_of, existing
from allotment.load import checked_change, commands_of

NAME = "apply"

Comment = Annotated[str, typer.Option(help="Why; kept in the history.")]
Who = Annotated[
    str | None, typer.Option(help="Who; your login name if none is given. A server knows its own.")
]


def run(
    file: CatalogFile,
    *,
    home: Home,
    comment: Comment = "",
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Change the catalog to what the file says; all of it or, if anything is refused, nothing.

    It is refused if the catalog changes meanwhile: then the file was compared with another one.
    """
    base = base_of(home)
    commands = commands_of(existing(file), base)
    checked_change(commands, base)  # before a store is made, and with patterns and versions checked
    commit_and_print(
        home,
        base,
        commands,
        comment=comment,
        who=who,
        dialect="catalogfile",
        refused="applied; see `allotment plan`, and apply again",
        unchanged="is already as the file says, at",
        as_json=as_json,
    )
