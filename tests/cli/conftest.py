"""A catalog, a table of units, and the command line as a process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from allotment.cli.root import app
from places import Place, place_in_a_store, place_on
from serving import Server, serving

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


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Run the command line in this process, in the test's own folder; `invoke(*arguments)`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "*")
    for name in list(os.environ):
        if name.startswith("ALLOTMENT_"):
            monkeypatch.delenv(name)

    def invoke(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server, one for all tests of a module; each takes a space of its own."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(params=["store", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty catalog, in a store of its own or in a space of its own of a running server."""
    if request.param == "store":
        return place_in_a_store(tmp_path)
    return place_on(request.getfixturevalue("server"))
