"""A catalog, a table of units, and the command line as a process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CATALOG = """\
allotment: 1
segments:
  nordics:
    rules: [{attribute: country, in: [SE, NO]}]
experiments:
  banner:
    state: running
    treatments: {control: {control: true}, green: {}}
    allocations:
      - {segment: nordics, weights: {control: 50, green: 50}}
      - {fallback: true, weights: {control: 90, green: 10}}
    overrides: {user-7: green}
"""

UNITS = 10_000


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog file."""
    path = tmp_path / "catalog.yaml"
    path.write_text(CATALOG)
    return path


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A Parquet file of units, half of them nordic."""
    path = tmp_path / "units.parquet"
    keys = [f"user-{number}" for number in range(UNITS)]
    pq.write_table(pa.table({"id": keys, "country": ["SE", "DE"] * (UNITS // 2)}), path)
    return path


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Run the command line in a process of its own; `run(*arguments)`."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "allotment.cli.app", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )

    return run
