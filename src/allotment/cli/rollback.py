"""`allotment rollback --to REVISION`: undo what came after a revision, as a new revision."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.change.diff import diff
from allotment.change.part import only_experiment
from allotment.cli.apply import Yes, commit_and_print
from allotment.cli.home import Home
from allotment.cli.options import AsJson

NAME = "rollback"

To = Annotated[int, typer.Option("--to", min=0, help="The revision to be as in again.")]
Comment = Annotated[str, typer.Option(help="Why; kept in the history.")]
Experiment = Annotated[
    str | None,
    typer.Option(
        "--experiment",
        metavar="KEY",
        help="Undo the changes of this experiment, and leave those of others.",
    ),
]


def run(  # noqa: PLR0913  # each is an option
    *,
    to: To,
    home: Home,
    experiment: Experiment = None,
    comment: Comment = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make the catalog what it was at a revision; nothing of the history is lost.

    What was not there then is deleted; that is asked first. It is refused if the catalog changes
    while it runs, as that change would be undone as well.
    """
    now = home.catalog()
    then = home.catalog(to)
    if experiment is not None:
        then = only_experiment(now, then, experiment)
        reached, state = f"experiment {experiment} back to", f"has experiment {experiment}"
    else:
        reached, state = "back to", "is"
    commands = diff(now, then)
    commit_and_print(
        home,
        now,
        commands,
        comment=comment or f"{reached} revision {to}",
        refused="undone; see `allotment history`, and roll back again",
        yes=yes,
        unchanged=f"{state} as it was at revision {to}, so there is nothing to undo; it stays at",
        as_json=as_json,
    )
