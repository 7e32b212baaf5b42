"""`allotment rollback --to REVISION`: undo what came after a revision, as a new revision."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.change.diff import diff
from allotment.cli.apply import commit_and_print
from allotment.cli.home import Home
from allotment.cli.options import AsJson

NAME = "rollback"

To = Annotated[int, typer.Option("--to", min=0, help="The revision to be as in again.")]
Comment = Annotated[str, typer.Option(help="Why; kept in the history.")]


def run(*, to: To, home: Home, comment: Comment = "", as_json: AsJson = False) -> None:
    """Make the catalog what it was at a revision; nothing of the history is lost.

    It is refused if the catalog changes while it runs, as that change would be undone as well.
    """
    now = home.catalog()
    commands = diff(now, home.catalog(to))
    commit_and_print(
        home,
        now,
        commands,
        comment=comment or f"back to revision {to}",
        refused="undone; see `allotment history`, and roll back again",
        unchanged=f"is as it was at revision {to}, so there is nothing to undo; it stays at",
        as_json=as_json,
    )
