"""`make bench-peers`: measures every peer in an environment of its own, and writes the results.

`python -m benchmarks.peers WORD...` measures those whose names contain one of the words, and
prints the table only.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks import page
from benchmarks.harness import UNITS
from benchmarks.machine import machine
from benchmarks.peers.check import faults
from benchmarks.peers.rows import COUNTRIES, EXPERIMENTS, KINDS, PEERS, SHARES, Peer
from benchmarks.peers.table import Measured, table
from benchmarks.picture import Bar, picture
from clients import python_with

HERE = Path(__file__).parent
PICTURE = HERE.parent / "peers.svg"
CHECKED = 1_430  # units of each country whose treatments are counted
PATIENCE = 600  # seconds for a process
PROCESSES = 5


def question() -> dict[str, Any]:
    """What every peer is asked."""
    dice = random.Random(20261130)
    many = [
        [country, [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(CHECKED)]]
        for country in COUNTRIES
    ]
    mmh3 = find_spec("mmh3")
    assert mmh3 is not None
    return {
        "mmh3": mmh3.origin,
        "units": UNITS,
        "visitors": [[each, UNITS[at :: len(COUNTRIES)]] for at, each in enumerate(COUNTRIES)],
        "many": many,
        "experiments": dict(EXPERIMENTS),
        "shares": dict(SHARES),
    }


def measure(peer: Peer, asked: dict[str, Any]) -> Measured:
    """What the peer costs, over several processes: where code and data lie in one decides much."""
    try:
        python = python_with(*peer.packages) if peer.packages else Path(sys.executable)
    except AssertionError as error:
        return Measured(peer, fault=f"it could not be installed: {str(error)[:200]}")
    ratios: dict[str, list[float]] = {}
    told: dict[str, Any] = {}
    for _ in range(PROCESSES):
        done = run(python, peer, asked)
        if done.returncode:
            return Measured(peer, fault=f"it failed: {done.stderr.strip()[-200:]}")
        told = json.loads(done.stdout.splitlines()[-1])
        for kind, row in told["rows"].items():
            wrong = next(faults(map(tuple, row["counts"]), EXPERIMENTS, SHARES), None)
            if wrong:
                return Measured(peer, fault=f"it did not deal as asked ({kind}): {wrong}")
            ratios.setdefault(kind, []).append(statistics.median(row["ratios"]))
    return Measured(peer, ratios, told["memory"], told["reference"])


def run(python: Path, peer: Peer, asked: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    script = HERE / f"{peer.script}.py"
    return subprocess.run(
        [python, "-P", HERE / "runner.py"],
        input=json.dumps({**asked, "peer": peer.script, "script": str(script)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd=HERE.parents[1],
    )


def main(words: list[str]) -> int:
    peers = [
        each for each in PEERS if not words or any(word in each.name.lower() for word in words)
    ]
    console = Console(stderr=True)
    asked = question()
    measured = [
        measure(peer, asked) for peer in track(peers, "measuring", console=console, transient=True)
    ]
    shown = table(measured)
    print(shown)
    failed = [one for one in measured if one.fault]
    if not words:
        write(measured, shown)
    for one in failed:
        console.print(f"{one.peer.name}: {one.fault}", style="red", markup=False)
    return 1 if failed else 0


def write(measured: list[Measured], shown: str) -> None:
    """The section of this machine, and the picture."""
    taken = [one.reference for one in measured if one.reference]
    reference = f"{min(taken):.0f} to {max(taken):.0f} ns" if taken else "nothing"
    body = f"the reference took {reference} a call.\n\n{shown}"
    page.write(f"Beside others: {machine()}", "make bench-peers", body)
    title = "Times the CPU time of one mmh3.hash in a Python loop, in one run (logarithmic scale)"
    PICTURE.write_text(picture(panels(measured), title))


def panels(measured: list[Measured]) -> dict[str, list[Bar]]:
    """What the picture shows: of each kind of work every figure."""
    return {
        name: [(cost, one.peer.name) for one in measured if (cost := one.cost(kind)) is not None]
        for kind, name in KINDS.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
