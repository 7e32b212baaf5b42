"""What is as large as a catalog may have it is written, planned and answered."""

from __future__ import annotations

import pytest

from allotment import InvalidInput, sql
from sqlagreeing import Bout
from sqlengines import SqlEngine
from sqllargest import LARGEST, diamonds


@pytest.fixture(scope="module")
def bout(engine: SqlEngine) -> Bout:
    return Bout(engine, "largest", 2_000)


@pytest.mark.parametrize("what", LARGEST)
def test_the_largest_is_the_kernels(bout: Bout, what: str) -> None:
    bout.one(what, LARGEST[what]())


def test_segments_that_refer_to_each_other_on_too_many_paths_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"1,000 paths.* - at \$\.segments\.s9"):
        sql.select(diamonds(30), "e", dialect="duckdb", table="units", unit="unit")
