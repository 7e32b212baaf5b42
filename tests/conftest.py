"""What tests of several floors share: the seed of a run, and a database of either kind."""

from __future__ import annotations

import gc
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import serving
from draws.sitecustomize import drawing
from postgres import Postgres
from postgres import postgres as running_postgres

# Tests of several packages share what is in there; its asserts say what was wrong too.
pytest.register_assert_rewrite("faults")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed",
        type=int,
        help="roll the dice from this number; without it every run is the same",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Without a seed Hypothesis draws the same examples in every run; `make soak` gives one.

    An example has no deadline: how long it takes is up to what else the machine does.
    """
    seed = config.getoption("--seed")
    hypothesis.settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
    hypothesis.settings.register_profile("fresh", database=None, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("fixed" if seed is None else "fresh")
    if seed is not None:
        hypothesis.core.global_force_seed = seed
    serving.same_draws = seed is None
    # Whatever started the run: output is as wide, and SIGHUP is not ignored, as it is under nohup.
    os.environ["COLUMNS"] = "100"
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seed = config.getoption("--seed")
    if seed is not None:
        terminalreporter.write_line(f"repeat this run with --seed {seed}")


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Where a test's own generator starts: 0 in `make test`, a fresh number in `make soak`."""
    return request.config.getoption("--seed") or 0


@pytest.fixture(autouse=True)
def _same_draws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In `make test` a test draws the same salts and ids in every run."""
    if request.config.getoption("--seed") is None:
        monkeypatch.setattr(secrets, "token_hex", drawing(request.node.nodeid))


def pytest_collection_finish() -> None:
    """No collection walks what stays for the whole run: modules and the tests themselves."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _own_garbage() -> Iterator[None]:
    """What the tests of a module leave is collected with them, not in the middle of a later test.

    There it would count as that test's time; and in a test that goes to the recursion limit what is
    collected has no stack left to be finalised on, which pytest reports as a fault.
    """
    yield
    gc.collect()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that runs while the tests do; a test that stops it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store can be made: a path, or the URL of an empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "allotment.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.fresh()
    yield url
    server.release(url)
