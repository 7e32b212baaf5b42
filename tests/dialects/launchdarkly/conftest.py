"""An environment for a test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ldproject import Environment, environment


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Environment]:
    with environment(tmp_path) as made:
        yield made


@pytest.fixture
def flagged(api: Environment) -> Environment:
    """With a flag `button` that is on."""
    api.flag()
    return api
