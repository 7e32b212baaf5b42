"""Twenty million users in DuckDB, in the three ways that docs/engines.md measures."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

from docs.blocks import HOUSE


def test_twenty_million_users_get_the_same_in_every_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = runpy.run_path(str(HOUSE / "examples/engines/duckdb_rows.py"))
    names["main"](20_000_000, tmp_path)
    *_, counts = capfd.readouterr().out.splitlines()
    assert sum(ast.literal_eval(counts).values()) == 20_000_000
