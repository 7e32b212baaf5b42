"""`allotment sql EXPERIMENT`: the whole assignment as one SELECT, to run where the units lie."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from allotment.cli.console import notes, print_json
from allotment.cli.home import Home
from allotment.cli.options import AsJson, FromFile, catalog_of, check_experiments
from allotment.errors import InvalidInput

if TYPE_CHECKING:
    from allotment.sql import Listed

NAME = "sql"

Experiment = Annotated[str, typer.Argument(help="The experiment's key.")]
Dialect = Annotated[
    str,
    typer.Option(help="clickhouse, duckdb, postgres, bigquery, snowflake, spark or trino."),
]
Table = Annotated[str, typer.Option(help="The table of units, as the engine's SQL names it.")]
Unit = Annotated[
    str,
    typer.Option(
        "--unit-column",
        metavar="COLUMN[:KIND]",
        help="The column that holds the units, or an expression; :integer or :uuid if not text.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ATTRIBUTE=COLUMN[:KIND]",
        help="The column that has an attribute, and what it holds: text, integer, float, boolean "
        "or uuid. ATTRIBUTE= alone: no unit has it. Default: the column of its name.",
    ),
]
Keep = Annotated[
    str, typer.Option("--keep", metavar="COLUMN,...", help="Columns to copy to the result.")
]
Lists = Annotated[
    str | None,
    typer.Option(
        "--lists", metavar="TABLE", help="Join lists of ids from this table. Default: write them."
    ),
]
WriteLists = Annotated[
    Path | None,
    typer.Option("--write-lists", metavar="FILE", help="Write the rows of the table of lists."),
]
Kept = Annotated[
    str | None,
    typer.Option(
        "--kept", metavar="TABLE", help="The kept assignments, if the experiment keeps any."
    ),
]

_ROWS: Final = 10_000  # written at a time


def run(  # noqa: PLR0913  # each is an option
    experiment: Experiment,
    *,
    dialect: Dialect,
    table: Table,
    unit_column: Unit,
    column: Columns = None,
    keep: Keep = "",
    lists: Lists = None,
    write_lists: WriteLists = None,
    kept: Kept = None,
    catalog: FromFile = None,
    home: Home,
    as_json: AsJson = False,
) -> None:
    """Print a SELECT that assigns every unit of a table as the other commands do.

    A row of its result has the unit, the columns to keep, treatment, reason and revision. What the
    engine cannot compute exactly is refused. The revision is fixed: write it again after a change.
    """
    from allotment import sql  # noqa: PLC0415  # it needs a library that the others do without

    if write_lists is not None and lists is None:
        raise InvalidInput("--write-lists writes the table that --lists names")
    chosen = catalog_of(catalog, home)
    check_experiments([experiment], chosen)
    statement = sql.select(
        chosen,
        experiment,
        dialect=dialect,
        table=table,
        unit=unit_column,
        columns=_columns(column or ()),
        keep=[each for each in keep.split(",") if each],
        lists=lists,
        kept=kept,
    )
    written = None if write_lists is None else _write(write_lists, sql.lists(chosen, experiment))
    if as_json:
        print_json({"sql": statement, "lists": written})
        return
    if written is not None:
        notes.print(f"wrote {written:,} rows to {write_lists}", markup=False, soft_wrap=True)
    if next(sql.lists(chosen, experiment), None) is not None:
        _note(lists, "list, unit and treatment, all text")
    if chosen.experiments[experiment].keeps_assignments:
        _note(kept, "experiment, unit and treatment, text, and iteration and turn, whole numbers")
    # The engine reads UTF-8, whatever the terminal is.
    sys.stdout.buffer.write(f"{statement}\n".encode())


def _columns(given: Sequence[str]) -> dict[str, str | None]:
    columns: dict[str, str | None] = {}
    for each in given:
        attribute, equals, column = each.partition("=")
        if not equals or not attribute:
            raise typer.BadParameter(f"--column is ATTRIBUTE=COLUMN, not {each!r}")
        if attribute in columns:
            raise typer.BadParameter(f"--column is given twice for {attribute!r}")
        columns[attribute] = column or None
    return columns


def _note(table: str | None, columns: str) -> None:
    if table is not None:
        text = f"note: the statement joins {table}, with the columns {columns}"
        notes.print(text, markup=False, soft_wrap=True)


def _write(file: Path, rows: Iterator[Listed]) -> int:
    """The table of lists as a file, whose name tells its form; how many rows it has."""
    import pyarrow as pa  # noqa: PLC0415

    from allotment.frames.form import form_of, open_sink  # noqa: PLC0415
    from allotment.frames.target import open_target  # noqa: PLC0415

    schema = pa.schema([(name, pa.string()) for name in ("list", "unit", "treatment")])
    form, count = form_of(file), 0
    with open_target(str(file)) as target, open_sink(form, target, schema) as sink:
        while some := list(islice(rows, _ROWS)):
            columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
            sink.write(pa.RecordBatch.from_arrays(columns, schema=schema))
            count += len(some)
    return count
