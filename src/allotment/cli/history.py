"""`allotment history`: what changed, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from allotment.cli.console import print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson
from allotment.errors import InvalidChange, InvalidInput
from allotment.model.plain import to_plain
from allotment.store import Entry
from allotment.words.commands import line_of, moved_line, needs_base, planned_lines

NAME = "history"

Limit = Annotated[int, typer.Option(min=1, help="How many changes to show.")]
Before = Annotated[int | None, typer.Option(help="Only changes before this revision.")]


def run(
    *,
    home: Home,
    limit: Limit = 20,
    before: Before = None,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, when and why."""
    entries = home.journal(limit, before)
    if as_json:
        print_json([_plain(entry) for entry in entries])
        return
    for entry in entries:
        _print(entry, home)


def _print(entry: Entry, home: Home) -> None:
    when = entry.when.isoformat(sep=" ", timespec="seconds")
    who = f"{entry.name} ({entry.who})" if entry.name else entry.who
    head = f"revision {entry.revision}  {when}  {who}  ({entry.dialect})"
    results.print(head, style="bold", markup=False, highlight=False, soft_wrap=True)
    lines = [entry.comment] if entry.comment else []
    lines += _lines(entry, home)
    lines += map(moved_line, entry.moves)
    for line in lines:
        results.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _lines(entry: Entry, home: Home) -> Iterable[str]:
    """The lines of a change, with old values and new where the commands alone do not tell them."""
    alone = [line_of(command) for command in entry.commands]
    if not any(map(needs_base, entry.commands)):
        return alone
    base = home.catalog(entry.revision - 1)
    try:
        return list(planned_lines(entry.commands, base))
    except (InvalidChange, InvalidInput):  # an older version may have allowed what this one refuses
        return alone


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "when": entry.when.isoformat(),
        "who": entry.who,
        "name": entry.name,
        "dialect": entry.dialect,
        "comment": entry.comment,
        "commands": to_plain(entry.commands),
        "moves": to_plain(entry.moves),
    }
