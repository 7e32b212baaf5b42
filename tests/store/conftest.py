"""A store in a new database of either kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from allotment.store import Store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store.open(database) as opened:
        yield opened
