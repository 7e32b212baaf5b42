"""`make bench-http`: measures every server in one run, in turns, and writes the results.

`python -m benchmarks.http WORD...` measures those rows whose names contain one of the words beside
the reference, and prints the table only.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.error import URLError

from rich.console import Console
from rich.progress import track

from benchmarks import page
from benchmarks.http.rows import REFERENCE, ROWS, Row, fault
from benchmarks.http.servers import SERVERS, NotInstalledError, versions
from benchmarks.http.table import Measured, cost, table
from benchmarks.load import wrk
from benchmarks.load.servers import TOKEN, Server
from benchmarks.machine import machine
from benchmarks.picture import Bar, picture

# Batches that are under way at a time.
BATCHES: Final = 4

PICTURE: Final = Path(__file__).parents[1] / "http.svg"


def main() -> int:
    options = _options()
    if not wrk.is_installed():
        print("this needs wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    words = options.words
    named = [row for row in ROWS if not words or any(word in row.name.lower() for word in words)]
    rows = [row for row in ROWS if row in (REFERENCE, *named, *(each.beside for each in named))]
    console = Console(stderr=True)
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers: dict[str, Server] = {}
        measured = [prepared(row, servers, stack) for row in rows]
        turns = range(options.rounds + 1)
        for turn in track(turns, "measuring", console=console, transient=True):
            for at, one in enumerate(measured):
                if not one.fault:
                    asked(one, servers[one.row.server], folder / f"{at}.lua", options, turn)
    if measured[0].fault:
        console.print(f"no reference: {measured[0].fault}", style="red", markup=False)
        return 1
    shown = table(measured, versions())
    print(shown)
    if not words:
        write(measured, shown, options, load)
    failed = [one for one in measured if one.fault and not one.is_absent]
    for one in failed:
        console.print(f"{one.row.name}: {one.fault}", style="red", markup=False)
    return 1 if failed else 0


def prepared(row: Row, servers: dict[str, Server], stack: ExitStack) -> Measured:
    """The row with no runs; its server is started where it was not, and its answers checked."""
    try:
        if row.server not in servers:
            servers[row.server] = stack.enter_context(SERVERS[row.server]())
        return Measured(row, fault=fault(servers[row.server].url, row))
    except NotInstalledError as error:
        return Measured(row, fault=str(error), is_absent=True)
    except (AssertionError, RuntimeError, URLError) as error:
        return Measured(row, fault=told(error))


def told(error: Exception) -> str:
    """On one line, as it stands below a table."""
    return f"it failed: {' '.join(str(error).split())[-200:]}"


def asked(
    one: Measured, server: Server, script: Path, options: argparse.Namespace, turn: int
) -> None:
    """One run of a row; that of the first turn warms up and does not count."""
    if turn == 0:
        wrk.write_script(one.row.question, TOKEN, script)
    before = server.cpu
    try:
        connections = options.connections if one.row.question.per == 1 else BATCHES
        run = wrk.run(server.url, script, options.seconds, connections)
    except RuntimeError as error:
        one.fault = told(error)
        return
    if turn > 0:
        one.cpu.append((server.cpu - before) * 1e6 / run.requests)
        one.runs.append(run)


def write(
    measured: Sequence[Measured], shown: str, options: argparse.Namespace, load: float
) -> None:
    """The section of this machine, which says what else it did, and the picture."""
    said = (
        f"{options.connections} connections, {BATCHES} for batches, each figure the median of"
        f" {options.rounds} turns of {options.seconds} s; the load of the machine before was"
        f" {load:.2f}. {options.note}"
    )
    page.write(f"HTTP: {machine()}", "make bench-http", f"{said.strip()}\n\n{shown}")
    single = [one for one in measured if one.row.question.per == 1 and not one.fault]
    bars = [(cost(one, measured[0]), one.row.name) for one in single]
    title = "Times the CPU time that a raw ASGI application takes, in one run (logarithmic scale)"
    panels: dict[str, list[Bar]] = {"CPU time of the server, a request": bars}
    PICTURE.write_text(picture(panels, title))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http", description=__doc__)
    parser.add_argument("words", nargs="*", help="only the rows whose names contain one of these")
    parser.add_argument("--seconds", type=int, default=2, help="how long a run takes")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each row")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--note", default="", help="a sentence for the page: what else ran")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
