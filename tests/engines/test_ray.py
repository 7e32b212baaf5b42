"""Ray's workers answer as the engine does: the example of docs/engines.md, on a local cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from docs.blocks import block_with
from engines.users import check_assigned, write_users


@pytest.fixture
def _cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two workers in the test's folder; nothing goes to the home folder or over the network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
@pytest.mark.usefixtures("_cluster")
def test_the_example_gives_every_unit_what_the_engine_gives(tmp_path: Path) -> None:
    users = write_users(tmp_path)
    block_with("docs/engines.md", "ray").run()
    check_assigned(users, tmp_path / "assigned")
