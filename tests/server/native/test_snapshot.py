"""`/v1/snapshot`: the whole catalog, now and at an earlier revision."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from allotment.change import commands as c
from allotment.model.plain import to_plain
from allotment.server.native import snapshot
from nouns import FLAG

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("query", [{}, {"revision": 1}])
async def test_a_whole_catalog_is_shown_once_a_revision_however_many_ask(
    client: httpx.AsyncClient, query: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (c.Create(FLAG), c.Rename("flag", "button", "A button")):
        body = {"commands": to_plain((command,))}
        assert (await client.post("/v1/commands", json=body)).status_code == 200
    shown = []
    show = snapshot._show

    def counted(*arguments: Any) -> Any:
        shown.append(arguments[:3])
        return show(*arguments)

    monkeypatch.setattr(snapshot, "_show", counted)
    asked = [client.get("/v1/snapshot", params=query) for _ in range(50)]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["revision"] for answer in answers} == {query.get("revision", 2)}
    assert len(shown) == 1
    await client.get("/v1/snapshot", params=query, headers={"accept": "application/yaml"})
    assert len(shown) == 2, "two forms are two answers"
