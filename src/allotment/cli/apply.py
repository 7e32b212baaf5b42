"""`allotment apply FILE`: make the catalog what a file says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from allotment.change.commands import Command
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, CatalogFile, base_of, existing
from allotment.cli.plan_text import moved_line, planned_lines, planned_plain
from allotment.errors import PreconditionFailed
from allotment.load import checked_change, commands_of
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain

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

    It is refused if the catalog changes while it runs, as the file was compared with the old one.
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


def commit_and_print(  # noqa: PLR0913  # each stands for itself
    home: Home,
    base: Catalog,
    commands: Sequence[Command],
    *,
    comment: str,
    who: str | None = None,
    dialect: str = "native",
    refused: str,
    unchanged: str,
    as_json: bool,
) -> None:
    """Commit commands that were made for `base`, unless the catalog has changed since; print them.

    `refused` says what was not done then, and what to do; `unchanged` that they changed nothing.
    """
    try:
        outcome = home.commit(
            commands, comment=comment, who=who, dialect=dialect, expect_revision=base.revision
        )
    except PreconditionFailed as error:
        raise PreconditionFailed(
            f"another change was made meanwhile, so nothing was {refused}"
        ) from error
    if as_json:
        plain, moves = planned_plain(commands, base), to_plain(outcome.moves)
        print_json({"revision": outcome.revision, "commands": plain, "moves": moves})
        return
    for line in [*planned_lines(commands, base), *map(moved_line, outcome.moves)]:
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    done = unchanged if outcome.revision == base.revision else "is now at"
    notes.print(f"{home.name} {done} revision {outcome.revision}", markup=False, soft_wrap=True)
