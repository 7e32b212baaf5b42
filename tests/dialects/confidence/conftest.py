"""A workspace for a test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenant import node_over
from workspace import Workspace


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Workspace]:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        made = Workspace(node, runner, "/v1")
        made.flag()
        yield made
