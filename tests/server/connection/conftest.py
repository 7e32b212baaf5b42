from collections.abc import Iterator

import pytest

from rawclient import RawClient, connected
from serving import Server, serving


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast", "slow"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that answers assignments itself, then one that has a task for each request."""
    env = {"ALLOTMENT_FAST_PATH": request.param}
    with serving(tmp_path_factory.mktemp("server"), env=env) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Iterator[RawClient]:
    with connected(server.url) as raw:
        yield raw
