"""`allotment import`: what another platform has, read into a store or a running server."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from allotment.cli.consent import Yes, ask
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, existing
from allotment.cli.progress import progress
from allotment.errors import AllotmentError, InvalidChange
from allotment.server.sticky.keep import KeptCounts

if TYPE_CHECKING:
    from allotment.cli.kept_file import ImportEffect

NAME = "import"
ABOUT = "What another platform has, read into a store or a running server."

# So many rows are kept in one transaction.
_AT_ONCE: Final = 5_000

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A Parquet, CSV or NDJSON file with the columns experiment, unit and treatment, and "
        "perhaps iteration.",
    ),
]


def assignments(file: File, *, home: Home, yes: Yes = False, as_json: AsJson = False) -> None:
    """Keep the assignments that another platform gave, for experiments that keep assignments.

    Shows what the rows would do and asks before any is kept: no command takes it back. A row that
    cannot be kept keeps all out: its experiment is not there, is not live or keeps no assignments,
    its iteration is not the live one, it has no such treatment, or the unit lies outside the
    experiment's part of a layer. A unit that has a treatment already retains it.

    The file is read twice. After an interruption the same file can be imported again.
    """
    # pyarrow loads slowly, and the other commands do without it.
    from allotment.cli.kept_file import COLUMNS, Examined, batches_of, lines_of  # noqa: PLC0415
    from allotment.cli.kept_file import plain_of as plain  # noqa: PLC0415
    from allotment.frames.form import open_source  # noqa: PLC0415

    examined = Examined(home.catalog(), home)
    with (
        open_source(existing(file), COLUMNS) as source,
        progress(f"looking at {file.name},", source, quiet=as_json) as advance,
    ):
        for batch in batches_of(source.batches()):
            examined.add(batch)
            advance()
    found, faults = examined.found, examined.faults
    if faults:
        raise InvalidChange(f"nothing of {file} was kept. {'; '.join(lines_of(faults))}")
    if not as_json:
        for line in _lines(found):
            results.print(line, markup=False, highlight=False, soft_wrap=True)
    new = sum(each.rows.total() - each.already for each in found.values())
    if new and not yes:
        ask(
            f"this keeps {new:,} assignments in {home.name}, and no command takes them back",
            "Keep them?",
            can_ask=not as_json,
        )
    if new:
        counts = _keep(file, home, quiet=as_json)
    else:
        every = found.values()
        counts = KeptCounts(0, sum(f.already for f in every), sum(f.differ for f in every))
    if as_json:
        print_json({**counts._asdict(), "experiments": plain(found)})
        return
    notes.print(_said(home, counts), markup=False, soft_wrap=True)


def _keep(file: Path, home: Home, *, quiet: bool) -> KeptCounts:
    from allotment.cli.kept_file import COLUMNS, batches_of  # noqa: PLC0415
    from allotment.frames.form import open_source  # noqa: PLC0415

    counts = KeptCounts(0, 0, 0)
    with (
        open_source(file, COLUMNS) as source,
        progress(f"keeping {file.name},", source, quiet=quiet) as advance,
    ):
        try:
            for batch in batches_of(source.batches()):
                rows = batch.rows()
                for start in range(0, len(rows), _AT_ONCE):
                    done = home.keep(rows[start : start + _AT_ONCE])
                    counts = KeptCounts(*map(sum, zip(counts, done, strict=True)))
                advance()
        except KeyboardInterrupt as error:
            said = f"interrupted; {_said(home, counts)}: import the file again"
            notes.print(said, style="red", markup=False, soft_wrap=True)
            raise typer.Exit(128 + (error.args[0] if error.args else signal.SIGINT)) from error
        except AllotmentError as error:
            error.message = f"{error.message}; {_said(home, counts)}: import the file again"
            raise
    return counts


def _lines(found: Mapping[str, ImportEffect]) -> Iterator[str]:
    for key, each in sorted(found.items()):
        yield f"{key}, iteration {each.iteration}: {each.rows.total():,} rows"
        for treatment, rows in sorted(each.rows.items()):
            yield f"  {treatment}: {rows:,}"
        if each.already:
            yield f"  {each.already:,} of them have a treatment already, which stays;"
            yield f"  {each.differ:,} of those another one than the file says"


def _said(home: Home, counts: KeptCounts) -> str:
    already = f"; {counts.already_kept:,} were kept already" if counts.already_kept else ""
    differing = f", {counts.differing:,} of them otherwise" if counts.differing else ""
    return f"{home.name} keeps {counts.kept:,} more assignments{already}{differing}"
