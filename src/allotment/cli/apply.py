"""`allotment apply FILE`: make a store what a catalog file says."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from allotment.cli.console import notes, print_json, results
from allotment.cli.lines import line_of, moved_line
from allotment.cli.options import (
    DEFAULT_STORE,
    AsJson,
    CatalogFile,
    StorePath,
    existing,
    stored_catalog,
)
from allotment.load import checked_change, commands_of
from allotment.model.plain import to_plain
from allotment.store import Store

NAME = "apply"

Comment = Annotated[str, typer.Option(help="Why; kept in the history.")]
Who = Annotated[str, typer.Option(help="Who; your login name if none is given.")]


def run(
    file: CatalogFile,
    *,
    store: StorePath = DEFAULT_STORE,
    comment: Comment = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Change the store to what the file says; all of it or, if anything is refused, nothing."""
    base = stored_catalog(store)
    commands = commands_of(existing(file), base)
    checked_change(commands, base)  # before a store is made, and with patterns and versions checked
    with Store.open(store) as opened:
        change = opened.commit(
            commands,
            who=who or getpass.getuser(),
            when=datetime.now(UTC),
            dialect="catalogfile",
            comment=comment,
        )
    revision = change.catalog.revision
    if as_json:
        moves = to_plain(change.moves)
        print_json({"revision": revision, "commands": to_plain(commands), "moves": moves})
        return
    for line in [*map(line_of, commands), *map(moved_line, change.moves)]:
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    done = "is already as the file says, at" if revision == base.revision else "is now at"
    notes.print(f"{store} {done} revision {revision}", markup=False, soft_wrap=True)
