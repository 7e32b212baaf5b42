"""One server with a small shop's experiments, which tests only read from."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from allotment.engine import Engine
from serving import SHOP, Server, serving


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("shop"), catalog=SHOP) as server:
        yield server


@pytest.fixture(scope="session")
def client(shop: Server) -> Iterator[httpx.Client]:
    with shop.client() as client:
        yield client


@pytest.fixture(scope="session")
def engine(shop: Server) -> Engine:
    return shop.engine()
