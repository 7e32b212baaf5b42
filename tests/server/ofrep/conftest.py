"""One server whose flags are of every type, which most tests only read from."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from allotment.engine import Engine
from serving import OFREP, Server, serving


@pytest.fixture(scope="session")
def flags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ofrep"), catalog=OFREP) as server:
        yield server


@pytest.fixture(scope="session")
def client(flags: Server) -> Iterator[httpx.Client]:
    with flags.client() as client:
        yield client


@pytest.fixture(scope="session")
def engine(flags: Server) -> Engine:
    return flags.engine()
