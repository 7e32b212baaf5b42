"""Dask's partitions are answered as the engine answers: the example of docs/engines.md."""

from __future__ import annotations

from pathlib import Path

import dask
import pandas as pd
import pytest

from docs.blocks import block_with
from engines.users import check_assigned, write_users


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Dask's own use of pandas
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_the_example_gives_every_unit_what_the_engine_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str
) -> None:
    monkeypatch.chdir(tmp_path)
    users = write_users(tmp_path)
    with dask.config.set(scheduler=scheduler, num_workers=2):
        made = block_with("docs/engines.md", "dask").run()
    check_assigned(users, tmp_path / "assigned")
    assigned = made["assigned"]
    assert callable(assigned)
    some = users[users["age"] > 40]  # an index with gaps
    pd.testing.assert_series_equal(
        assigned(some)["treatment"], assigned(users)["treatment"][users["age"] > 40]
    )
