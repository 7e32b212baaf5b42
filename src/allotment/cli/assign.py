"""`allotment assign IN OUT`: every unit of a table, with its treatment and reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from allotment.cli.console import is_plain, manner, notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import (
    AsJson,
    FromFile,
    UnitColumns,
    catalog_of,
    check_experiments,
    check_kinds,
    unit_columns,
)
from allotment.cli.progress import progress
from allotment.cli.summary import plain_summary, summary_tables
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog

if TYPE_CHECKING:
    from allotment.frames.form import Form
    from allotment.frames.inputs import Inputs
    from allotment.frames.rows import RowSource

NAME = "assign"

Input = Annotated[
    str,
    typer.Argument(
        metavar="IN",
        help="A Parquet, CSV or NDJSON file (.csv.gz, .ndjson.zst), a folder, a pattern in quotes, "
        "or - for stdin.",
    ),
]


def _send_json(context: typer.Context, output: str) -> str:
    if output not in ("-", "/dev/stdout"):
        return output
    manner(context).to = notes  # standard output holds the data
    return "-"


Output = Annotated[
    str,
    typer.Argument(metavar="OUT", callback=_send_json, help="The file to write; - is stdout."),
]
Experiments = Annotated[
    list[str] | None,
    typer.Option("--experiment", help="An experiment's key; repeat for more. Default: all."),
]
Keep = Annotated[
    str, typer.Option("--keep", metavar="COLUMN,...", help="Columns of IN to copy to OUT.")
]
Format = Annotated[
    Literal["parquet", "csv", "ndjson"] | None,
    typer.Option("--format", help="Default: by OUT's name, and ndjson to standard output."),
]
InputFormat = Annotated[
    Literal["parquet", "csv", "ndjson"] | None,
    typer.Option("--input-format", help="Default: by the names of IN, and ndjson from stdin."),
]
Threads = Annotated[int, typer.Option(min=1, max=64, help="How many threads assign.")]
AsSource = Annotated[
    bool,
    typer.Option(
        "--source", help="Write the assignment source: a row a treatment, with the time of the run."
    ),
]
Summary = Annotated[bool, typer.Option("--summary/--no-summary", help="Show the counts.")]


def run(  # noqa: PLR0913  # each is an option
    input_: Input,
    output: Output,
    unit_column: UnitColumns,
    *,
    catalog: FromFile = None,
    home: Home,
    experiment: Experiments = None,
    keep: Keep = "",
    format_: Format = None,
    input_format: InputFormat = None,
    threads: Threads = 1,
    source: AsSource = False,
    summary: Summary = True,
    as_json: AsJson = False,
) -> None:
    """Assign a table of any size in bounded memory; shows counts and the sample-ratio check.

    The result has the unit column, those to keep and, for each experiment, a column of treatments
    named after it and one of reasons. It appears under its name only when it is whole.

    With --source it is the table that analyses read instead, as exposures are: unit, unit_kind,
    experiment, iteration, treatment, time, revision, space, allocation, reason, variations.

    CSV: a line is a row, so no value holds a line break. A value is text, or the number or the
    truth value (true, t, yes, y, on, 1) that a condition compares it with.

    Of a folder or a pattern, as 'units/*.csv', all files are read; they have the same columns.
    Folders within that are named like country=SE are a column of the rows and of the result.
    """
    # pyarrow loads slowly, and the other commands do without it.
    from allotment.frames.assign import Tally, assigned, result_schema  # noqa: PLC0415
    from allotment.frames.form import Form, open_sink  # noqa: PLC0415
    from allotment.frames.inputs import inputs_of  # noqa: PLC0415
    from allotment.frames.source import SourceRows  # noqa: PLC0415
    from allotment.frames.strata import stratified  # noqa: PLC0415
    from allotment.frames.target import open_target  # noqa: PLC0415
    from allotment.frames.together import open_inputs  # noqa: PLC0415
    from allotment.frames.wanted import wanted_columns  # noqa: PLC0415

    if source and keep:
        raise InvalidInput("--source has columns of its own: leave out --keep")
    columns = unit_columns(unit_column)
    inputs = inputs_of(input_, None if input_format is None else Form(input_format))
    inputs.check_target(output)
    form = _form(output, format_)
    chosen = catalog_of(catalog, home)
    check_kinds(columns, chosen)
    keys = _chosen(chosen, experiment)
    wanted = wanted_columns(chosen, keys, columns, filter(None, keep.split(",")))
    catalog_with_parts, strata = stratified(chosen, keys)
    engine = Engine(compile_catalog(catalog_with_parts), note=None if as_json else _note)
    tallies = {key: Tally(strata[key]) for key in keys}
    at, is_text = int(time.time() * 1000), form is not Form.PARQUET
    long = SourceRows(chosen, strata, wanted.units, at, is_text) if source else None
    with open_inputs(inputs, wanted) as opened:
        if not as_json:
            _warn(inputs, opened)
        schema, written = long.schema if long else result_schema(opened, strata), 0
        with (
            open_target(output) as file,
            open_sink(form, file, schema) as sink,
            progress("assigning", opened, quiet=as_json) as advance,
        ):
            for rows in opened.batches():
                batches = (
                    long.of(engine, rows, tallies, threads=threads)
                    if long
                    else [assigned(engine, rows, tallies, threads=threads)]
                )
                for batch in batches:
                    sink.write(batch)
                    written += batch.num_rows
                advance()
    # The counts are the result that is looked at, unless standard output holds the data.
    to = notes if output == "-" else results
    if as_json:
        print_json(plain_summary(tallies), to=to)
        return
    if output != "-":
        notes.print(f"wrote {written:,} rows to {output}", markup=False, soft_wrap=True)
    if summary:
        to.print(*summary_tables(tallies, plain=is_plain(to)), sep="\n")


def _chosen(catalog: Catalog, experiments: Sequence[str] | None) -> list[str]:
    if not experiments:
        if not catalog.experiments:
            raise InvalidInput("the catalog has no experiments")
        return list(catalog.experiments)
    check_experiments(experiments, catalog)
    return list(dict.fromkeys(experiments))


def _warn(inputs: Inputs, source: RowSource) -> None:
    for name in sorted(source.absent):
        _note(f"{inputs.name} has no column {name!r}; it counts as absent for every unit")


def _note(text: str) -> None:
    notes.print(f"note: {text}", markup=False, soft_wrap=True)


def _form(output: str, given: str | None) -> Form:
    """The form to write."""
    from allotment.frames.form import Form, form_of  # noqa: PLC0415

    if given is not None:
        return Form(given)
    return Form.NDJSON if output == "-" else form_of(Path(output))
