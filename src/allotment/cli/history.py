"""`allotment history`: what changed in a store, newest first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from allotment.cli.console import print_json, results
from allotment.cli.lines import line_of, moved_line
from allotment.cli.options import DEFAULT_STORE, AsJson, StorePath
from allotment.model.plain import to_plain
from allotment.store import Entry, Store

NAME = "history"

Limit = Annotated[int, typer.Option(min=1, help="How many changes to show.")]
Before = Annotated[int | None, typer.Option(help="Only changes before this revision.")]


def run(
    *,
    store: StorePath = DEFAULT_STORE,
    limit: Limit = 20,
    before: Before = None,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, when and why."""
    with Store.open(store, create=False) as opened:
        entries = opened.journal(limit, before)
    if as_json:
        print_json([_plain(entry) for entry in entries])
        return
    for entry in entries:
        _print(entry)


def _print(entry: Entry) -> None:
    when = entry.when.isoformat(sep=" ", timespec="seconds")
    head = f"revision {entry.revision}  {when}  {entry.who}  ({entry.dialect})"
    results.print(head, style="bold", markup=False, highlight=False, soft_wrap=True)
    lines = [entry.comment] if entry.comment else []
    lines += map(line_of, entry.commands)
    lines += map(moved_line, entry.moves)
    for line in lines:
        results.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "when": entry.when.isoformat(),
        "who": entry.who,
        "dialect": entry.dialect,
        "comment": entry.comment,
        "commands": to_plain(entry.commands),
        "moves": to_plain(entry.moves),
    }
