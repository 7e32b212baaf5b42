"""`make bench`: every claim of the README and the issue, measured; exit 1 where one does not hold.

`python -m benchmarks NAME...` runs the rows whose names contain one of the words.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import batch, client, configuration, profiles, record, single, start
from benchmarks.harness import Figure, Work, reference
from benchmarks.machine import family, machine, model

ROWS: list[Callable[[], Figure | Work]] = [
    *single.ROWS,
    *batch.ROWS,
    *profiles.ROWS,
    *configuration.ROWS,
    *client.ROWS,
    *start.ROWS,
]


def main() -> int:
    options = _options()
    if options.record:
        middle = record.middle([record.elsewhere() for _ in range(record.PROCESSES)])
        record.keep(family(model()), record.run_of(list(middle.values())))
        return 0
    words = options.words
    rows = [row for row in ROWS if not words or any(word in row.__name__ for word in words)]
    console = Console(stderr=True)
    base = reference()
    figures = [measured(row()) for row in track(rows, "measuring", console=console, transient=True)]
    draw(figures, base)
    record.save(record.run_of(figures), options.to)
    return 0 if all(figure.holds for figure in figures) else 1


def measured(row: Figure | Work) -> Figure:
    return row.figure() if isinstance(row, Work) else row


def draw(figures: list[Figure], base: float) -> None:
    table = Table(title=f"{machine()}; the reference took {base:.0f} ns a call")
    for heading in ("what", "unit"):
        table.add_column(heading)
    for heading in ("bound", "median", "quartiles"):
        table.add_column(heading, justify="right")
    table.add_column("holds")
    for f in figures:
        sign = ">=" if f.at_least else "<="
        table.add_row(
            f.name,
            f.unit,
            f"{sign} {f.bound:g}",
            f"{f.median:.3g}",
            f"{f.low:.3g} .. {f.high:.3g}",
            "yes" if f.holds else "NO",
        )
    Console().print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", help="only the rows whose names contain one of these")
    parser.add_argument("--to", type=Path, default=record.LAST, help="where the figures go")
    parser.add_argument(
        "--record",
        action="store_true",
        help=f"measure in {record.PROCESSES} processes, and record their middle for this processor",
    )
    options = parser.parse_args()
    if options.record and options.words:
        parser.error("--record is of every row: give no words")
    return options


if __name__ == "__main__":
    sys.exit(main())
