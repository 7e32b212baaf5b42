"""`allotment plan FILE`: what would change, and whom it would move."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from allotment.change.apply import Change
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import (
    AsJson,
    CatalogFile,
    UnitColumns,
    base_of,
    check_kinds,
    existing,
    unit_columns,
)
from allotment.cli.plan_text import moved_line, planned_lines, planned_plain
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.load import checked_change, commands_of
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain

NAME = "plan"

Units = Annotated[
    Path | None,
    typer.Option("--units", help="A table of units (Parquet, CSV, NDJSON) to count moves in."),
]


def run(
    file: CatalogFile,
    *,
    home: Home,
    units: Units = None,
    unit_column: UnitColumns = (),  # type: ignore[assignment]  # typer wants a list in the type
    as_json: AsJson = False,
) -> None:
    """Print the changes that `apply` would make, and per allocation the share that would move."""
    if units is not None and not unit_column:
        raise typer.BadParameter("--units needs --unit-column: which column holds the units")
    if home.is_new and not as_json:
        notes.print(f"there is no store at {home.name} yet: all is new", markup=False)
    base = base_of(home)
    commands = commands_of(existing(file), base)
    change = checked_change(commands, base)
    counted = (
        {} if units is None else _counted(base, change, units, unit_columns(unit_column), home)
    )
    if as_json:
        moves = to_plain(change.moves)
        print_json({"commands": planned_plain(commands, base), "moves": moves, "units": counted})
        return
    moves = map(moved_line, change.moves)
    for line in [*planned_lines(commands, base), *moves, *_lines(counted)]:
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    if not commands:
        results.print("nothing would change")


def _counted(
    base: Catalog, change: Change, file: Path, columns: Mapping[str | None, str], home: Home
) -> dict[str, dict[str, Any]]:
    """Per experiment that the change touches, how many units of the file it would move.

    What the home keeps for them counts; where there is none yet, nothing can be kept.
    """
    from allotment.frames.form import open_source  # noqa: PLC0415  # pyarrow loads slowly
    from allotment.frames.moves import count_moves, joined  # noqa: PLC0415
    from allotment.frames.wanted import wanted_columns  # noqa: PLC0415

    check_kinds(columns, base, change.catalog)
    before, after = (Engine(compile_catalog(c), note=None) for c in (base, change.catalog))
    touched = sorted(change.touched)
    if not touched:
        return {}
    then, now = (
        wanted_columns(c, [key for key in touched if key in c.experiments], columns)
        for c in (base, change.catalog)
    )
    with open_source(file, joined(then, now)) as source:
        counts = count_moves(before, after, source.batches(), touched, home.kept)
    return {
        key: {"units": c.units, "moved": c.moved, "gained": c.gained, "lost": c.lost}
        for key, c in counts.items()
    }


def _lines(counted: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [
        f"{key}: of {c['units']:,} units {c['moved']:,} would change treatment, "
        f"{c['gained']:,} would get one, {c['lost']:,} would lose theirs"
        for key, c in counted.items()
    ]
