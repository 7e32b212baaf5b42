"""What `make bench` gave, as files: the last run, and the record of each family of processors."""

from __future__ import annotations

import datetime
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.harness import Figure
from benchmarks.machine import machine

HERE: Final = Path(__file__).parent
LAST: Final = HERE.parent / "build" / "bench.json"
RECORDED: Final = HERE / "recorded.json"

# What lies where in the memory of a process moves a ratio by more than what is looked for.
PROCESSES: Final = 5


@dataclass(frozen=True)
class Run:
    """The figures of a run by name, the machine that gave them, and the day."""

    machine: str
    day: str
    figures: dict[str, Figure]


def run_of(figures: Sequence[Figure]) -> Run:
    day = datetime.datetime.now(tz=datetime.UTC).date()
    named = {each.name: each for each in figures}
    assert len(named) == len(figures), "no two rows have one name"
    return Run(machine(), str(day), named)


def save(run: Run, path: Path = LAST) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_pretty(run))


def last(path: Path = LAST) -> Run:
    return msgspec.json.decode(path.read_bytes(), type=Run)


def records(path: Path = RECORDED) -> dict[str, Run]:
    """By the family of the processor."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Run]) if path.exists() else {}


def keep(family: str, run: Run, path: Path = RECORDED) -> None:
    """The record of a family is replaced, that of the others stays."""
    path.write_bytes(_pretty({**records(path), family: run}))


def middle(runs: Sequence[Mapping[str, Figure]]) -> dict[str, Figure]:
    """Of each row that all runs have, the figure whose median is the middle one."""
    names = [name for name in runs[0] if all(name in run for run in runs)]
    return {
        name: sorted((run[name] for run in runs), key=lambda each: each.median)[len(runs) // 2]
        for name in names
    }


def elsewhere() -> dict[str, Figure]:
    """What `python -m benchmarks` measures in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.json"
        command = [sys.executable, "-m", "benchmarks", "--to", str(path)]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
        if not path.exists():
            raise RuntimeError(f"nothing was measured:\n{done.stderr[-500:]}")
        return last(path).figures


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
