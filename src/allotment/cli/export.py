"""`allotment export`: the store's catalog as a file, with its salts and slots."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from allotment.cli.options import DEFAULT_STORE, StorePath
from allotment.dialects import catalogfile
from allotment.store import Store

NAME = "export"

Revision = Annotated[int | None, typer.Option(help="The revision; the latest if none is given.")]


def run(*, store: StorePath = DEFAULT_STORE, revision: Revision = None) -> None:
    """Print the catalog file of a revision; loading it assigns every unit as the store does."""
    with Store.open(store, create=False) as opened:
        catalog = opened.catalog(revision)
    sys.stdout.write(catalogfile.show(catalog))
