"""`make bench`: every claim of the README and the issue, measured; exit 1 where one does not hold.

`python -m benchmarks NAME...` runs the rows whose names contain one of the words.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import batch, client, configuration, profiles, single
from benchmarks.harness import Figure, reference

ROWS: list[Callable[[], Figure]] = [
    *single.ROWS,
    *batch.ROWS,
    *profiles.ROWS,
    *configuration.ROWS,
    *client.ROWS,
]


def main(words: list[str]) -> int:
    rows = [row for row in ROWS if not words or any(word in row.__name__ for word in words)]
    console = Console(stderr=True)
    base = reference()
    figures = [row() for row in track(rows, "measuring", console=console, transient=True)]
    draw(figures, base)
    results = Path("build") / "bench.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps([figure.__dict__ for figure in figures], indent=1))
    return 0 if all(figure.holds for figure in figures) else 1


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


def machine() -> str:
    return " ".join(facts())


def facts() -> Iterator[str]:
    yield f"{platform.python_implementation()} {platform.python_version()},"
    yield f"{os.cpu_count()} cores,"
    cpu = Path("/proc/cpuinfo")
    names = cpu.read_text().splitlines() if cpu.exists() else []
    model = next((line.split(": ")[1] for line in names if line.startswith("model name")), "")
    yield model or platform.processor()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
