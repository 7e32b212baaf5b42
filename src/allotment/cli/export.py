"""`allotment export`: the catalog as a file, with its salts and slots."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from allotment.cli.home import Home
from allotment.dialects import catalogfile

NAME = "export"

Revision = Annotated[int | None, typer.Option(help="The revision; the latest if none is given.")]


def run(*, home: Home, revision: Revision = None) -> None:
    """Print the catalog file of a revision; loading it assigns every unit as the store does."""
    # A catalog file is UTF-8, whatever the terminal is.
    sys.stdout.buffer.write(catalogfile.show(home.catalog(revision)).encode())
