"""`/v1/changes` and `/v1/lists`: what a client that follows the server loads."""

from __future__ import annotations

import asyncio
import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from allotment.change import commands as c
from allotment.change import sent
from allotment.change.sent import read
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.plain import to_plain
from allotment.model.segment import IdList, Segment
from allotment.server.sync.node import Node
from allotment.store import Store
from nouns import FLAG, experiment, iteration
from server.nodes import SPACE, calling, running

pytestmark = pytest.mark.anyio

LONG = IdList.of(f"unit-{number}" for number in range(1_000))
STOPPED = iteration(State.STOPPED)
DIGEST = sha256(LONG.text).hexdigest()


async def commit(client: httpx.AsyncClient, *commands: c.Command) -> None:
    body = {"commands": to_plain(commands)}
    assert (await client.post("/v1/commands", json=body)).status_code == 200


@pytest.fixture
async def filled(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Revision 1 has an experiment and a long list, revision 2 a flag with a name."""
    beta = Segment("beta", include=LONG)
    await commit(client, c.Create(FLAG), c.Create(beta), c.Create(experiment("checkout", STOPPED)))
    await commit(client, c.Rename("flag", "button", "A button"))
    return client


def lists(_digest: str) -> bytes:
    return LONG.text


async def ask(
    client: httpx.AsyncClient, known: dict[str, Any] | None = None, **headers: str
) -> Any:
    query = {} if known is None else {"since": known["revision"], "lineage": known["lineage"]}
    answer = await client.get("/v1/changes", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_client_that_has_nothing_gets_the_whole_catalog(
    filled: httpx.AsyncClient, node: Node
) -> None:
    got = await ask(filled)
    served = node.served(SPACE)
    assert (got["space"], got["revision"], got["since"]) == (SPACE, 2, None)
    assert got["lineage"] == served.stored.lineage
    assert got["fingerprint"] == f"{served.fingerprint:032x}"
    assert read(None, got, lists)[0] == served.stored.catalog


async def test_a_client_follows_by_what_changed(filled: httpx.AsyncClient, node: Node) -> None:
    known: dict[str, Any] = await ask(filled)
    catalog: Catalog = read(None, known, lists)[0]
    steps: list[tuple[c.Command, ...]] = [
        (c.Rename("experiment", "checkout", "The checkout"),),
        (c.Create(experiment("other", iteration(audience="beta"))),),
        (c.Rename("segment", "beta", "Beta"), c.Delete("experiment", "checkout")),
        (c.Keep("catalog", "catalog", "some/path", "1"),),
    ]
    for commands in steps:
        await commit(filled, *commands)
        known = await ask(filled, before := known)
        assert known["since"] == before["revision"]
        catalog, _ = read(catalog, known, lists)
        assert catalog == node.served(SPACE).stored.catalog
    whole = {"experiments", "flags", "segments", "layers", "holdouts"}
    assert known["catalog"] == {"kept": [["some/path", "1"]], **{kind: {} for kind in whole}}


async def test_what_came_and_went_since_is_deleted(filled: httpx.AsyncClient) -> None:
    first = await ask(filled)
    await commit(filled, c.Create(experiment("brief", STOPPED)))
    between = await ask(filled, first)
    await commit(filled, c.Delete("experiment", "brief"))
    assert (await ask(filled, between))["catalog"]["experiments"] == {"brief": None}
    assert (await ask(filled, first))["catalog"]["experiments"] == {"brief": None}


async def test_a_revision_of_another_history_gets_the_whole_catalog(
    filled: httpx.AsyncClient,
) -> None:
    known = await ask(filled)
    for wrong in ({"lineage": "0" * 32}, {"revision": 1}, {"revision": 77}, {"lineage": ""}):
        assert (await ask(filled, {**known, **wrong}))["since"] is None, wrong
    assert (await ask(filled, known))["since"] == 2
    assert (await ask(filled, {"revision": 0, "lineage": ""}))["since"] == 0


@pytest.mark.parametrize(
    "query", ["since=1", f"lineage={'0' * 32}", "since=x", "since=1&lineage=x"]
)
async def test_half_of_a_revision_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/v1/changes?{query}")).status_code == 400


async def test_a_client_that_has_it_all_is_told_so(filled: httpx.AsyncClient) -> None:
    answer = await filled.get("/v1/changes")
    tag = answer.headers["etag"]
    assert tag == (await filled.get("/v1/snapshot")).headers["etag"]
    for coding in ("gzip", "identity"):
        headers = {"if-none-match": tag, "accept-encoding": coding}
        again = await filled.get("/v1/changes", headers=headers)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await commit(filled, c.Rename("flag", "button", "Another"))
    assert (await filled.get("/v1/changes", headers={"if-none-match": tag})).status_code == 200


async def test_an_answer_is_in_gzip_only_for_who_admits_it(filled: httpx.AsyncClient) -> None:
    async def coding(path: str, accepted: str) -> str | None:
        answer = await filled.get(path, headers={"accept-encoding": accepted})
        assert answer.headers["vary"] == "Accept-Encoding"
        found: str | None = answer.headers.get("content-encoding")
        return found

    for name in range(30):
        await commit(filled, c.Create(experiment(f"one-of-many-{name}")))
    for path in ("/v1/changes", f"/v1/lists/{DIGEST}"):
        for accepted in ("gzip", "br, GZIP;q=0.5", "*"):
            assert await coding(path, accepted) == "gzip", accepted
        for accepted in ("identity", "gzip;q=0", "br", "", "*;q=0", "gzip;q=0, *"):
            assert await coding(path, accepted) is None, accepted
    wrong = await filled.get("/v1/changes", headers={"accept-encoding": "gzip;q=2"})
    assert wrong.status_code == 400


async def test_a_list_is_got_by_its_digest(filled: httpx.AsyncClient) -> None:
    named = (await ask(filled))["catalog"]["segments"]["beta"]["include"]
    assert named == {"list": DIGEST, "count": 1_000}
    request = filled.build_request(
        "GET", f"/v1/lists/{DIGEST}", headers={"accept-encoding": "gzip"}
    )
    answer = await filled.send(request, stream=True)
    raw = b"".join([part async for part in answer.aiter_raw()])
    assert gzip.decompress(raw) == LONG.text
    plain = await filled.get(f"/v1/lists/{DIGEST}", headers={"accept-encoding": "identity"})
    assert plain.content == LONG.text
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert plain.headers["cache-control"] == "private, immutable, max-age=31536000"
    tag = plain.headers["etag"]
    again = await filled.get(f"/v1/lists/{DIGEST}", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_no_other_list_is_there(filled: httpx.AsyncClient) -> None:
    short = IdList.of(["someone"])
    await commit(filled, c.Create(Segment("brief", include=short)))
    await filled.post("/v1/spaces", json={"name": "elsewhere/test"})
    for digest in ("0" * 64, sha256(short.text).hexdigest(), DIGEST.upper(), DIGEST[:-1]):
        assert (await filled.get(f"/v1/lists/{digest}")).status_code == 404, digest
    elsewhere = {"allotment-space": "elsewhere/test"}
    assert (await filled.get(f"/v1/lists/{DIGEST}")).status_code == 200
    assert (await filled.get(f"/v1/lists/{DIGEST}", headers=elsewhere)).status_code == 404
    await commit(filled, c.SetMembers("beta", "user", short, IdList()))
    other = await ask(filled)
    assert other["catalog"]["segments"]["beta"]["include"] == ["someone"]


async def test_any_process_gives_what_another_has_told_of(database: str) -> None:
    """Each has read other revisions than the other, at other times."""
    async with (
        running(database) as node,
        calling(node) as client,
        running(database, poll_seconds=60) as slow,
        calling(slow) as other,
    ):
        await commit(client, c.Create(FLAG), c.Create(experiment()))
        first = await ask(client)
        await commit(client, c.Create(Segment("beta", include=LONG)))
        second = await ask(client, first)
        assert (await other.get(f"/v1/lists/{DIGEST}")).content == LONG.text
        await commit(client, c.Rename("flag", "button", "A button"))
        third = await ask(client, second)
        assert slow.served(SPACE).revision < third["revision"]
        same = await ask(other, third)
        assert (same["revision"], same["since"]) == (3, 3)
        assert (await ask(other, first))["catalog"] == (await ask(client, first))["catalog"]
    async with running(database) as node, calling(node) as client:  # after a restart as well
        assert (await ask(client, second))["since"] == 2


async def test_while_the_store_is_away_the_whole_catalog_is_sent(
    database: str, tmp_path: Path
) -> None:
    last_good = tmp_path / "last.good"
    async with running(database, last_good=last_good) as node, calling(node) as client:
        await commit(client, c.Create(FLAG), c.Create(experiment()))
        known = await ask(client)
        await commit(client, c.Rename("flag", "button", "A button"))

    def away() -> Store:
        return Store.open(str(tmp_path / "nowhere" / "store.db"), create=False)

    async with running(away, last_good=last_good, store_name="") as node, calling(node) as client:
        got = await ask(client, known)
        assert (got["revision"], got["since"]) == (2, None)


async def test_many_who_ask_at_once_share_one_answer(
    filled: httpx.AsyncClient, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    write = sent.write

    def counted(*arguments: Any) -> Any:
        nonlocal made
        made += 1
        return write(*arguments)

    monkeypatch.setattr(sent, "write", counted)
    known = await ask(filled)
    await commit(filled, c.Rename("flag", "button", "Another"))
    answers = await asyncio.gather(*(ask(filled, known) for _ in range(100)))
    assert made == 2
    assert all(answer == answers[0] for answer in answers)
