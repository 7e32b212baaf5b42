"""ClickHouse, in this process: `allotment-1` itself, exact in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlagreeing import Bout
from sqlengines import ClickHouse


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    engine = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    yield engine
    engine.close()


def test_clickhouse_and_the_kernel_give_a_hundred_thousand_units_the_same(
    clickhouse: ClickHouse, seed: int
) -> None:
    bout = Bout(clickhouse, f"clickhouse/{seed}", 100_000)
    bout.run(catalogs=10)
