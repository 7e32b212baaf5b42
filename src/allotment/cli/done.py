"""Changing the catalog that was looked at, and saying what that did; for apply and rollback."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.change.commands import Command
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.plan_text import moved_line, planned_lines, planned_plain
from allotment.errors import PreconditionFailed
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain


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
        told, moves = planned_plain(commands, base), to_plain(outcome.moves)
        print_json({"revision": outcome.revision, "commands": told, "moves": moves})
        return
    for line in [*planned_lines(commands, base), *map(moved_line, outcome.moves)]:
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    done = unchanged if outcome.revision == base.revision else "is now at"
    notes.print(f"{home.name} {done} revision {outcome.revision}", markup=False, soft_wrap=True)
