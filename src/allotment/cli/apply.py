"""`allotment apply FILE`: make the catalog what a file or a plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer

from allotment.change.commands import Command, Delete
from allotment.change.kinds import nouns_of
from allotment.cli.changes import NoDelete, Only, PlanOrCatalog, commands_of
from allotment.cli.consent import ask
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, base_of
from allotment.errors import PreconditionFailed
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.plain import to_plain
from allotment.sources import checked_change
from allotment.words.commands import moved_line, planned_lines, planned_plain

NAME = "apply"

# How many deletions are named.
_SHOWN_MAX: Final = 10

Comment = Annotated[str, typer.Option(help="Why; kept in the history.")]
Who = Annotated[
    str | None, typer.Option(help="Who; your login name if none is given. A server knows its own.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")]


def run(  # noqa: PLR0913  # each is an option
    file: PlanOrCatalog,
    *,
    home: Home,
    only: Only = None,
    no_delete: NoDelete = False,
    yes: Yes = False,
    comment: Comment = "",
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Change the catalog to what the file says; all of it or, if anything is refused, nothing.

    What the file lacks is deleted; that is asked first. It is refused if the catalog changes while
    it runs, as the file was compared with the old one, and a plan if it has changed since.
    """
    base = base_of(home)
    commands = commands_of(file, base, keys=only, no_delete=no_delete)
    checked_change(commands, base)  # before a store is made, and with patterns and versions checked
    commit_and_print(
        home,
        base,
        commands,
        comment=comment,
        who=who,
        yes=yes,
        advice="for a catalog file --no-delete leaves them",
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
    yes: bool,
    advice: str = "",
    dialect: str = "native",
    refused: str,
    unchanged: str,
    as_json: bool,
    is_shown: bool = False,
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Commit commands that were made for `base`, unless the catalog has changed since; print them.

    Deletions are asked for, unless `yes` says that they are meant; `advice` is another way.
    `refused` says what was not done then, and what to do; `unchanged` that they changed nothing.
    What `is_shown` already is not printed again; `extra` is printed beside them as JSON.
    """
    deleted = [] if yes else _deletions(commands, base)
    if deleted:
        shown = [*deleted[:_SHOWN_MAX], f"{len(deleted) - _SHOWN_MAX:,} more"][: len(deleted)]
        ask(f"this deletes {', '.join(shown)}", "Delete?", advice=advice, can_ask=not as_json)
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
        print_json({"revision": outcome.revision, "commands": plain, "moves": moves, **extra})
        return
    lines = () if is_shown else planned_lines(commands, base)
    for line in [*lines, *map(moved_line, outcome.moves)]:
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    done = unchanged if outcome.revision == base.revision else "is now at"
    notes.print(f"{home.name} {done} revision {outcome.revision}", markup=False, soft_wrap=True)


def _deletions(commands: Sequence[Command], base: Catalog) -> list[str]:
    """What the commands delete, in words; of an experiment its state, too."""
    named: list[str] = []
    for command in commands:
        if isinstance(command, Delete):
            noun = nouns_of(base, command.kind)[command.key]
            live = noun.live if isinstance(noun, Experiment) else None
            state = f" ({live.state})" if live else ""
            named.append(f"{command.kind} {command.key}{state}")
    return named
