"""`allotment rollback --to REVISION`: undo what came after a revision, as a new revision."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.change.diff import diff
from allotment.cli.done import print_done
from allotment.cli.home import Home
from allotment.cli.options import AsJson
from allotment.errors import PreconditionFailed

NAME = "rollback"

To = Annotated[int, typer.Option("--to", min=0, help="The revision to be as in again.")]
Comment = Annotated[str, typer.Option(help="Why; kept in the history.")]


def run(*, to: To, home: Home, comment: Comment = "", as_json: AsJson = False) -> None:
    """Make the catalog what it was at a revision; nothing of the history is lost.

    It is refused if somebody changes the catalog meanwhile: what to undo would be another thing.
    """
    now = home.catalog()
    commands = diff(now, home.catalog(to))
    why = comment or f"back to revision {to}"
    try:
        outcome = home.commit(commands, comment=why, expect_revision=now.revision)
    except PreconditionFailed as error:
        raise PreconditionFailed(
            "somebody changed the catalog meanwhile, so nothing was undone; "
            "see `allotment history`, and decide anew"
        ) from error
    unchanged = f"is as it was at revision {to}, so there is nothing to undo; it stays at"
    print_done(home, now, commands, outcome, unchanged=unchanged, as_json=as_json)
