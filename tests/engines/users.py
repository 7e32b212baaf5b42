"""A folder of users as the examples of docs/engines.md read it, and what must come of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

import allotment
from docs.blocks import HOUSE

ROWS = 40_000


def write_users(folder: Path) -> pd.DataFrame:
    """Four files of users in `folder/users`, and the examples beside them."""
    (folder / "examples").symlink_to(HOUSE / "examples")
    users = pd.DataFrame({"user_id": [f"user-{n}" for n in range(ROWS)]})
    users["country"] = ["SE", "NO", "DE", None] * (ROWS // 4)
    users["age"] = [18 + n % 60 for n in range(ROWS)]
    (folder / "users").mkdir()
    for part in range(4):
        users[part::4].to_parquet(folder / "users" / f"{part}.parquet", index=False)
    return users


def check_assigned(users: pd.DataFrame, folder: Path) -> None:
    """Every user is there once, with what a single call gives."""
    found = pq.read_table(folder).to_pydict()
    engine = allotment.load(HOUSE / "examples/engines/catalog.yaml")
    expected = {
        unit: engine.assign("price-page", unit, {"country": country, "age": age}).treatment
        for unit, country, age in zip(users["user_id"], users["country"], users["age"], strict=True)
    }
    assert len(found["user_id"]) == ROWS
    assert dict(zip(found["user_id"], found["treatment"], strict=True)) == expected
    assert len(set(expected.values())) == 4
