"""One server that all of these tests attack: if one of them kills it, those after it fail too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from hostile.operations import Operation, operations
from serving import SHOP, Server, serving


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)]
)
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    lenient = {"ALLOTMENT_LAUNCHDARKLY_LENIENT": "1"}  # so that a PATCH without its header is read
    folder = tmp_path_factory.mktemp("attacked")
    more = {}
    if request.param == "postgresql":  # which is stricter about texts than SQLite
        more["database_url"] = request.getfixturevalue("postgres").fresh()
    with serving(folder, catalog=SHOP, env=lenient, insecure_local=False, **more) as server:
        yield server
        assert server.process.poll() is None, f"the server died:\n{server.log}"


@pytest.fixture(scope="session")
def admin(attacked: Server) -> str:
    """A token that may do everything."""
    return attacked.token("admin", space="*/*")


@pytest.fixture
def client(attacked: Server, admin: str) -> Iterator[httpx.Client]:
    with attacked.client(token=admin) as client:
        yield client
        assert client.get("/healthz").status_code == 200


@pytest.fixture(scope="session")
def document(attacked: Server) -> Mapping[str, Any]:
    found: Mapping[str, Any] = httpx.get(f"{attacked.url}/openapi.json", trust_env=False).json()
    return found


@pytest.fixture(scope="session")
def known(document: Mapping[str, Any]) -> list[Operation]:
    return operations(document)
