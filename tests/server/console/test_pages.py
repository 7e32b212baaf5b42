"""Every page: harmless whatever the catalog says, quick, and with the headers that keep it so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import nouns
from allotment.change.commands import Create
from allotment.server.console.app import routes
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.store import Store
from server.console import hostile
from server.console.visiting import HERE, check_harmless
from server.nodes import calling, running

pytestmark = pytest.mark.anyio

# What stands in the place of a path's parameters, here where all keys are hostile.
VALUES = {
    "project": "default",
    "environment": "production",
    "key": hostile.LONG,
    "revision": "1",
    "what": "ramp",
}


def pages() -> list[str]:
    """The pages that are read, with a key of the hostile catalog."""
    return [
        each.path.format(**VALUES)
        for each in routes("/console")
        if "GET" in each.methods and not {"{digest}", "{id}", "openid"} & set(each.path.split("/"))
    ]


@pytest.fixture
async def attacked(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a console whose catalog is hostile."""
    address = str(tmp_path / "hostile.db")
    with Store.open(address) as store:
        store.commit(
            hostile.commands(),
            who=hostile.MARKUP,
            when=datetime.now(UTC),
            dialect="native",
            comment=hostile.MARKUP + hostile.TURNED,
        )
    async with running(address) as node, calling(node) as client:
        yield client


async def test_no_text_of_a_catalog_becomes_markup(attacked: httpx.AsyncClient) -> None:
    shown = ""
    for path in pages():
        answer = await attacked.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.text[-500:])
        check_harmless(answer.text)
        shown += answer.text
    assert "&lt;script&gt;alert(1)" in shown
    assert "{{7*7}}" in shown


async def test_no_text_of_a_request_becomes_markup(attacked: httpx.AsyncClient) -> None:
    for text in hostile.TEXTS:
        for path in (f"{HERE}/experiments", f"{HERE}/nothing", "/console/sign-in"):
            for name in ("q", "flag", "layer", "owner", "state", "next", "page", text):
                answer = await attacked.get(path, params={name: text})
                assert answer.status_code in (200, 400, 404), (path, name)
                check_harmless(answer.text)


async def test_every_page_says_what_it_may_load_and_is_kept_nowhere(
    attacked: httpx.AsyncClient,
) -> None:
    for path in [*pages(), f"{HERE}/experiments/unknown", "/console/nothing"]:
        answer = await attacked.get(path)
        headers = answer.headers
        if answer.status_code != 303:
            policy = headers["content-security-policy"].split("; ")
            assert policy[0] == "default-src 'none'"
            assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} < set(policy)
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_what_pages_load_is_ours_and_is_kept(attacked: httpx.AsyncClient) -> None:
    page = check_harmless((await attacked.get(f"{HERE}/experiments")).text)
    files = [value for tag, name, value in page.attributes if "/static/" in value]
    assert len(files) == 3
    for path in files:
        answer = await attacked.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    wrong = files[0].replace(files[0].split("/")[3], "0" * 16)
    assert (await attacked.get(wrong)).status_code == 404
    assert (await attacked.get("/console/static/x/..%2f..%2fapp.py")).status_code == 404


async def test_a_head_has_no_body_and_another_method_is_refused(node: Node) -> None:
    async with calling(node, Settings()) as client:
        answer = await client.head(f"{HERE}/experiments")
        assert (answer.status_code, answer.content) == (200, b"")
        answer = await client.put(f"{HERE}/experiments")
        assert answer.status_code == 405
        assert answer.headers["content-type"].startswith("text/html")


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a console with ten thousand experiments."""
    address = str(tmp_path / "large.db")
    made = [Create(nouns.FLAG)]
    made += [Create(nouns.experiment(f"experiment-{n}", name=f"Name {n}")) for n in range(10_000)]
    with Store.open(address) as store:
        store.commit(made, who="test", when=datetime.now(UTC), dialect="native")
    async with running(address) as node, calling(node) as client:
        yield client


async def test_ten_thousand_experiments_stay_quick_and_the_event_loop_goes_on(
    large: httpx.AsyncClient,
) -> None:
    """In processor time, as other processes may be at work."""
    asked: list[dict[str, str]] = [
        *({}, {"q": "name 99"}, {"state": "paused"}, {"flag": "button", "page": "200"}),
        *({"sort": "changed"}, {"owner": "test"}, {"q": "no such word"}),
    ]
    await large.get(f"{HERE}/experiments")
    for query in asked:
        took = [await _took(large, query) for _ in range(3)]
        assert min(process for process, _ in took) < 0.1, (query, took)
        # What this thread, the event loop's, worked at a stretch: a page is made in another.
        assert min(stretch for _, stretch in took) < 0.005, (query, took)


async def _took(client: httpx.AsyncClient, query: dict[str, str]) -> tuple[float, float]:
    """What a page takes of the processor, and the longest stretch of the event loop."""
    began, stretches = time.process_time(), [0.0]
    request = asyncio.ensure_future(client.get(f"{HERE}/experiments", params=query))
    while not request.done():
        at = time.thread_time()
        await asyncio.sleep(0)
        stretches.append(time.thread_time() - at)
    assert (await request).status_code == 200
    return time.process_time() - began, max(stretches)
