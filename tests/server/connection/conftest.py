from collections.abc import Iterator

import pytest

from rawclient import RawClient, connected
from serving import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Iterator[RawClient]:
    with connected(server.url) as raw:
        yield raw
