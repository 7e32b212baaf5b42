"""The APIs of vendors are there from the first request on, and cost a start nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from server.nodes import calling, running

pytestmark = pytest.mark.anyio


def test_a_start_imports_no_vendors_models_no_pages_no_tables_and_no_other_database() -> None:
    unwanted = [
        *("allotment.dialects.auth0.operations", "allotment.dialects.launchdarkly.operations"),
        *("allotment.dialects.confidence.operations", "allotment.server.openapi"),
        *("jinja2", "numpy", "pandas", "pyarrow", "allotment.importers"),
        *("allotment.server.native.nouns", "allotment.server.native.preview"),
        *("sqlalchemy.dialects.postgresql", "psycopg"),
    ]
    said = (
        "import sys\n"
        "import allotment.server.process.serve\n"
        f"print([each for each in {unwanted} if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


async def test_many_first_requests_of_an_api_are_all_answered(tmp_path: Path) -> None:
    async with running(tmp_path / "store.db") as node, calling(node) as client:
        paths = (
            *("/api/v2/experimentation/experiments", "/v1/segments", "/console/sign-in"),
            *("/v1/catalog/experiments", "/v1/journal", "/v1/spaces", "/v1/tokens"),
            "/api/v2/projects/default/environments/production/experiments",
        )
        answers = await asyncio.gather(*(client.get(path) for path in paths * 3))
        assert [answer.status_code for answer in answers] == [200] * 24, answers


async def test_a_path_beside_those_of_an_api_is_answered_as_before(tmp_path: Path) -> None:
    async with running(tmp_path / "store.db") as node, calling(node) as client:
        for _ in range(2):  # before the routes are made, and after
            assert (await client.get("/v1/flagships")).status_code == 404
            assert (await client.get("/api/v2/experimentation/none")).status_code == 404
            answer = await client.request("DELETE", "/api/v2/experimentation/experiments")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
