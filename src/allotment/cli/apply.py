"""`allotment apply FILE`: make the catalog what a file says."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.done import print_done
from allotment.cli.home import Home
from allotment.cli.options import AsJson, CatalogFile, base_of, existing
from allotment.errors import PreconditionFailed
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

    It is refused if somebody changes the catalog meanwhile: what the file changes would be another
    thing.
    """
    base = base_of(home)
    commands = commands_of(existing(file), base)
    checked_change(commands, base)  # before a store is made, and with patterns and versions checked
    try:
        outcome = home.commit(
            commands,
            comment=comment,
            who=who,
            dialect="catalogfile",
            expect_revision=base.revision,
        )
    except PreconditionFailed as error:
        raise PreconditionFailed(
            "somebody changed the catalog meanwhile, so nothing was applied; "
            "see `allotment plan`, and apply again"
        ) from error
    unchanged = "is already as the file says, at"
    print_done(home, base, commands, outcome, unchanged=unchanged, as_json=as_json)
