"""`python -m benchmarks.load.large`: what a batch of a million units takes of a server.

With `--against SOURCE`, another `src` with a built kernel, the runs of both alternate.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.load.questions import ARROW, JSON
from benchmarks.load.servers import HOUSE, TOKEN, Server, ours
from benchmarks.machine import machine

NDJSON = "application/x-ndjson"
ROWS = 1_000_000


class Batch(NamedTuple):
    """A request: the query, the media type, and the body."""

    query: str
    media: str
    body: bytes


class Run(NamedTuple):
    """Seconds of the processor and of the clock, until the first byte too; bytes of memory."""

    cpu: float
    wall: float
    first: float
    memory: float


def _units(rows: int) -> list[str]:
    return [f"unit-{number:09d}" for number in range(rows)]


def _document(rows: int) -> Batch:
    known = [{"country": "SE"}] * rows
    asked = {"units": _units(rows), "attributes": known, "experiments": ["exp_0"]}
    return Batch("", JSON, msgspec.json.encode(asked))


def _lines(rows: int) -> Batch:
    lines = [{"unit": unit, "attributes": {"country": "SE"}} for unit in _units(rows)]
    return Batch("?experiment=exp_0", NDJSON, msgspec.json.Encoder().encode_lines(lines))


def _stream(rows: int) -> Batch:
    table = pa.table({"unit": _units(rows), "country": ["SE"] * rows})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=65_536)
    return Batch("?experiment=exp_0", ARROW, sink.getvalue().to_pybytes())


FORMS: dict[str, Callable[[int], Batch]] = {"json": _document, "ndjson": _lines, "arrow": _stream}


def _asked(server: Server, batch: Batch) -> Run:
    """Send a batch, and read the answer beside; the connection ends with it."""
    status = Path(f"/proc/{server.process.pid}")
    (status / "clear_refs").write_text("5")  # the most memory is counted from here
    cpu, begun = server.cpu, time.monotonic()
    first = 0.0
    begin = b""

    def read() -> None:
        nonlocal first, begin
        while data := client.recv(1 << 20):
            first = first or time.monotonic() - begun
            begin = begin or data

    url = urlsplit(server.url)
    with socket.create_connection((url.hostname, url.port)) as client:
        reader = threading.Thread(target=read)
        reader.start()
        head = (
            f"POST /v1/assign/batch{batch.query} HTTP/1.1\r\nHost: localhost\r\nConnection: close"
            f"\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {batch.media}"
            f"\r\nContent-Length: {len(batch.body)}\r\n\r\n"
        )
        client.sendall(head.encode())
        client.sendall(batch.body)
        reader.join()
    assert begin.startswith(b"HTTP/1.1 200"), begin
    wall = time.monotonic() - begun
    most = (status / "status").read_text().partition("VmHWM:")[2].split()[0]
    return Run(server.cpu - cpu, wall, first, int(most) / 1024)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.large", description=__doc__)
    parser.add_argument("forms", nargs="*", help=f"of {', '.join(FORMS)}; default: all")
    parser.add_argument("--against", type=Path, help="the `src` of another version")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    sources = {"now": HOUSE / "src"}
    if options.against is not None:
        sources["against"] = options.against
    table = Table(title=f"{machine()}; {options.rows:,} units, medians of {options.rounds} runs")
    for heading in ("form", "version", "CPU s", "CPU ratio", "wall s", "first byte s", "peak MiB"):
        table.add_column(heading, justify="right")
    with ExitStack() as stack:
        servers = {}
        for name, source in sources.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            servers[name] = stack.enter_context(ours(folder, source))
        for form in options.forms or FORMS:
            batch = FORMS[form](options.rows)
            runs: dict[str, list[Run]] = {name: [] for name in servers}
            for _ in range(options.rounds + 1):
                for name, server in servers.items():
                    runs[name].append(_asked(server, batch))
            for name, found in runs.items():
                each = found[1:]  # the first warms up
                ratios = [a.cpu / b.cpu for a, b in zip(each, runs["now"][1:], strict=True)]
                figures = [statistics.median(figure) for figure in zip(*each, strict=True)]
                cpu, wall, first, memory = figures
                ratio = f"{statistics.median(ratios):.2f}"
                row = (f"{cpu:.2f}", ratio, f"{wall:.2f}", f"{first:.3f}", f"{memory:,.0f}")
                table.add_row(form, name, *row)
    Console().print(table, markup=False)


if __name__ == "__main__":
    main()
