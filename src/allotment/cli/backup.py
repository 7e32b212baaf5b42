"""`allotment backup FILE`: a copy of a store, made while servers use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allotment.cli.console import notes, print_json
from allotment.cli.options import DEFAULT_STORE, AsJson, StoreOption
from allotment.store import Store

NAME = "backup"

File = Annotated[Path, typer.Argument(metavar="FILE", help="The copy: a new name.")]


def run(file: File, *, store: StoreOption = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Copy an SQLite store as it is at one moment, with its sticky assignments beside it.

    Servers may use it during the copy. The copy is a store: `--store FILE` reads it. For PostgreSQL
    use pg_dump.
    """
    with Store.open(store, create=False) as opened:
        files = [str(each) for each in opened.backup(file)]
    if as_json:
        print_json({"files": files})
    else:
        notes.print(f"copied to {' and '.join(files)}", markup=False, soft_wrap=True)
