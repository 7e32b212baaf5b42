"""A tenant for a test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenant import Tenant, tenant


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Tenant]:
    with tenant(tmp_path) as made:
        yield made
