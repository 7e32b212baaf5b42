"""`allotment plan FILE`: what would change, and whom it would move."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from allotment.change.impact import Change
from allotment.cli.changes import NoDelete, Only, commands_of
from allotment.cli.console import DIFFERS, notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import (
    AsJson,
    CatalogFile,
    UnitColumns,
    base_of,
    check_kinds,
    unit_columns,
)
from allotment.cli.saved_plan import write_plan
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain
from allotment.sources import checked_change
from allotment.words.commands import moved_line, planned_lines, planned_plain

NAME = "plan"

Units = Annotated[
    str | None,
    typer.Option(
        "--units",
        metavar="IN",
        help="A table of units to count moves in: a file, a folder or a pattern, as for assign.",
    ),
]
Moved = Annotated[
    str | None,
    typer.Option(
        "--moved",
        metavar="OUT",
        help="A file to write the units that would move into: experiment, unit, from, to.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="A file to write the plan into.")]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit 2 where something would change, else 0.")
]


def run(  # noqa: PLR0913  # each is an option
    file: CatalogFile,
    *,
    home: Home,
    only: Only = None,
    no_delete: NoDelete = False,
    units: Units = None,
    unit_column: UnitColumns = (),  # type: ignore[assignment]  # typer wants a list in the type
    moved: Moved = None,
    out: Out = None,
    exit_code: ExitCode = False,
    as_json: AsJson = False,
) -> None:
    """Print the changes that `apply` would make, and per allocation the share that would move.

    A plan that is written with --out is applied as it is, by `apply` of that file, as long as the
    catalog is the same.
    """
    if moved is not None and units is None:
        raise typer.BadParameter("--moved needs --units: a table of the units to ask about")
    if units is not None and not unit_column:
        raise typer.BadParameter("--units needs --unit-column: which column holds the units")
    if home.is_new and not as_json:
        notes.print(f"there is no store at {home.name} yet: all is new", markup=False)
    base = base_of(home)
    commands = commands_of(file, base, keys=only, no_delete=no_delete)
    change = checked_change(commands, base)
    counted: dict[str, dict[str, int]] = {}
    if units is not None:
        counted = _counted(base, change, units, unit_columns(unit_column), home, moved)
    if out is not None:
        write_plan(out, commands, base)
    if as_json:
        moves = to_plain(change.moves)
        print_json({"commands": planned_plain(commands, base), "moves": moves, "units": counted})
    else:
        moves = map(moved_line, change.moves)
        for line in [*planned_lines(commands, base), *moves, *_lines(counted)]:
            results.print(line, markup=False, highlight=False, soft_wrap=True)
        if not commands:
            results.print("nothing would change")
    if exit_code and commands:
        raise typer.Exit(DIFFERS)


def _counted(  # noqa: PLR0913, PLR0917  # what is compared, of whom, and where it goes
    base: Catalog,
    change: Change,
    units: str,
    columns: Mapping[str | None, str],
    home: Home,
    moved: str | None,
) -> dict[str, dict[str, int]]:
    """Per experiment that the change touches, how many of these units it would move.

    What the home keeps for them counts; where there is none yet, nothing can be kept. The units
    that would move are written to `moved`.
    """
    from allotment.frames.form import form_of, open_sink  # noqa: PLC0415  # pyarrow loads slowly
    from allotment.frames.inputs import inputs_of  # noqa: PLC0415
    from allotment.frames.moves import MOVED, count_moves, joined  # noqa: PLC0415
    from allotment.frames.target import open_target  # noqa: PLC0415
    from allotment.frames.together import open_inputs  # noqa: PLC0415
    from allotment.frames.wanted import wanted_columns  # noqa: PLC0415

    check_kinds(columns, base, change.catalog)
    before, after = (Engine(compile_catalog(c), note=None) for c in (base, change.catalog))
    touched = sorted(change.touched)
    then, now = (
        wanted_columns(c, [key for key in touched if key in c.experiments], columns)
        for c in (base, change.catalog)
    )
    inputs = inputs_of(units)
    with ExitStack() as stack:
        write = None
        if moved is not None:
            inputs.check_target(moved)
            form = form_of(Path(moved))
            written = stack.enter_context(open_target(moved))
            write = stack.enter_context(open_sink(form, written, MOVED)).write
        if not touched:  # nothing of the table is needed
            return {}
        source = stack.enter_context(open_inputs(inputs, joined(then, now)))
        counts = count_moves(before, after, source.batches(), touched, home.kept, write)
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
