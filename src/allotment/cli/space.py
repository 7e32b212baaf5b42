"""`allotment space`: the environments of projects, each with a catalog of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson

NAME = "space"
ABOUT = "The environments of projects, each with a catalog of its own."

Name = Annotated[str, typer.Argument(metavar="PROJECT/ENVIRONMENT", help="The new space.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PROJECT/ENVIRONMENT",
        help="The space whose flags and layers it gets; else the first of its project.",
    ),
]


def create(name: Name, *, home: Home, from_: From = None, as_json: AsJson = False) -> None:
    """Make a space: flags and layers are its project's, experiments and the rest its own."""
    home.create_space(name, from_)
    if as_json:
        print_json({"space": name})
    else:
        notes.print(f"{home.name} has the space {name} now", markup=False, soft_wrap=True)


def list_(*, home: Home, as_json: AsJson = False) -> None:
    """List the spaces, one a line."""
    names = home.spaces()
    if as_json:
        print_json({"spaces": list(names)})
        return
    for name in names:
        results.print(name, markup=False, highlight=False, soft_wrap=True)
