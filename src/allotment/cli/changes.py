"""The changes that `plan` shows and `apply` makes: what a file says, or a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.change.part import only, without_deletions
from allotment.cli.options import existing
from allotment.cli.saved_plan import MARK, read_plan
from allotment.dialects import catalogfile
from allotment.model.catalog import Catalog
from allotment.sources import lists_beside

PlanOrCatalog = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A catalog file (YAML or JSON), or a plan that `plan --out` wrote."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="KEY",
        help="Change only what has this key; repeat for more. With an experiment go its places in "
        "layers and flags.",
    ),
]
NoDelete = Annotated[bool, typer.Option("--no-delete", help="Leave what the file lacks as it is.")]


def commands_of(
    file: Path, base: Catalog, *, keys: Sequence[str] | None = None, no_delete: bool = False
) -> tuple[Command, ...]:
    """The commands that lead from `base` to what the file says, or those of a plan.

    `keys` and `no_delete` are for catalog files: a plan is taken whole.
    """
    tree = catalogfile.parse(existing(file).read_bytes())
    if isinstance(tree, dict) and MARK in tree:
        if keys or no_delete:
            raise typer.BadParameter(
                "a plan is applied whole: --only and --no-delete are for files"
            )
        return read_plan(tree, base)
    target = catalogfile.read_tree(tree, lists_beside(file), base)
    if keys:
        target = only(base, target, keys)
    if no_delete:
        target = without_deletions(base, target)
    return diff(base, target)
