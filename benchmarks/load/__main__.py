"""`python -m benchmarks.load`: the assignment paths under wrk, beside the raw application.

Runs alternate between the two servers, so that what else the machine does meets both. The claim is
about the middle one of their ratios: requests a second of ours over those of the reference.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.load import wrk
from benchmarks.load.questions import QUESTIONS, Question
from benchmarks.load.servers import TOKEN, Server, ours, raw
from benchmarks.machine import machine

BOUND = 0.8

# Batches that are under way at a time.
_BATCHES = 4


@dataclass
class Row:
    """All runs of one question, by server: ours and the reference in turn."""

    question: Question
    runs: dict[str, list[wrk.Run]] = field(default_factory=lambda: {"ours": [], "raw": []})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "raw": []})

    @property
    def ratio(self) -> float:
        """Requests a second, ours over the reference's."""
        pairs = zip(self.runs["ours"], self.runs["raw"], strict=True)
        ratios: list[float] = [our.rate / reference.rate for our, reference in pairs]
        return statistics.median(ratios)

    def middle(self, server: str, what: str) -> float:
        """The median of one figure of a server's runs."""
        figures: list[float] = [getattr(run, what) for run in self.runs[server]]
        return statistics.median(figures)


def main() -> int:
    options = _options()
    if not wrk.is_installed():
        print("this needs wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    console = Console(stderr=True)
    chosen = [q for q in QUESTIONS if not options.words or any(w in q.name for w in options.words)]
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder)) as our, raw() as reference:
        servers = {"ours": our, "raw": reference}
        rows = []
        for question in chosen:
            console.print(f"measuring: {question.name}", highlight=False)
            rows.append(_measured(question, servers, Path(folder) / "script.lua", options))
    _draw(rows, options)
    return 0 if all(row.ratio >= BOUND for row in rows) else 1


def _measured(
    question: Question, servers: dict[str, Server], script: Path, options: argparse.Namespace
) -> Row:
    wrk.write_script(question, TOKEN, script)
    row = Row(question)
    connections = options.connections if question.per == 1 else _BATCHES
    for server in servers.values():
        wrk.run(server.url, script, options.seconds, connections)
    for _ in range(options.rounds):
        for name, server in servers.items():
            before = server.cpu
            run = wrk.run(server.url, script, options.seconds, connections)
            row.runs[name].append(run)
            row.cpu[name].append((server.cpu - before) * 1e6 / run.requests)
    return row


def _draw(rows: list[Row], options: argparse.Namespace) -> None:
    table = Table(title=f"{machine()}; {options.connections} connections; reference in brackets")
    table.add_column("what")
    for heading in ("requests/s", "p50 us", "p99 us", "CPU us/request", "ratio", "CPU ratio"):
        table.add_column(heading, justify="right")
    table.add_column("holds")
    for row in rows:
        cpu = {name: statistics.median(values) for name, values in row.cpu.items()}
        table.add_row(
            row.question.name,
            *(
                f"{row.middle('ours', what):,.0f} [{row.middle('raw', what):,.0f}]"
                for what in ("rate", "p50", "p99")
            ),
            f"{cpu['ours']:,.1f} [{cpu['raw']:,.1f}]",
            f"{row.ratio:.2f}",
            f"{cpu['raw'] / cpu['ours']:.2f}",
            "yes" if row.ratio >= BOUND else "NO",
        )
    Console().print(table, markup=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("words", nargs="*", help="only the rows whose names contain one of these")
    parser.add_argument("--seconds", type=int, default=2, help="how long a run takes")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each server")
    parser.add_argument("--connections", type=int, default=16)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
