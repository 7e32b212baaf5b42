"""A console with a shop's catalog, and visitors with tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from allotment.server.sync.node import Node
from server.console.visiting import Visiting
from server.nodes import calling, running
from serving import SHOP, fill


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Any database will do."""
    made = str(tmp_path / "allotment.db")
    fill(made, SHOP)
    return made


@pytest.fixture
async def guarded(database: str) -> AsyncIterator[Node]:
    """A node that nothing is got of without a token."""
    async with running(database, insecure_local=False) as node:
        yield node


@pytest.fixture
async def stranger(guarded: Node) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nothing is known of."""
    async with calling(guarded) as client:
        yield client


@pytest.fixture
async def visiting(guarded: Node, stranger: httpx.AsyncClient) -> Visiting:
    return Visiting(guarded, stranger)
