"""`Idempotency-Key`: a request that comes again is answered again, and not done again."""

import asyncio

import httpx
import pytest

from allotment.server.sync.node import Node
from server.nodes import SPACE

pytestmark = pytest.mark.anyio

FLAG = {"default": "off", "variations": {"off": False, "on": True}}


def named(name: str) -> dict[str, object]:
    return {**FLAG, "name": name}


async def test_a_request_that_comes_again_is_answered_as_before(
    client: httpx.AsyncClient, node: Node
) -> None:
    key = {"idempotency-key": "one"}
    first = await client.put("/v1/catalog/flags/button", json=named("a"), headers=key)
    await client.put("/v1/catalog/flags/button", json=named("b"))
    again = await client.put("/v1/catalog/flags/button", json=named("a"), headers=key)
    assert (
        (again.status_code, again.content)
        == (first.status_code, first.content)
        == (201, again.content)
    )
    assert (again.headers["etag"], again.headers["idempotency-replayed"]) == (
        first.headers["etag"],
        "true",
    )
    assert "idempotency-replayed" not in first.headers
    assert node.served(SPACE).revision == 2
    assert (await client.get("/v1/catalog/flags/button")).json()["name"] == "b"


async def test_that_it_no_longer_could_be_done_does_not_matter(client: httpx.AsyncClient) -> None:
    """The condition no longer holds, the noun is gone: it was done, and that is the answer."""
    made = await client.put("/v1/catalog/flags/button", json=FLAG)
    change = {"idempotency-key": "c", "if-match": made.headers["etag"]}
    for _ in range(2):
        put = await client.put("/v1/catalog/flags/button", json=named("a"), headers=change)
        assert (put.status_code, put.headers["etag"][:3]) == (200, '"2-')
    removal = {"idempotency-key": "r", "if-match": put.headers["etag"]}
    for _ in range(2):
        gone = await client.delete("/v1/catalog/flags/button", headers=removal)
        assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete("/v1/catalog/flags/button")).status_code == 404


async def test_a_key_names_one_request_only(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "one"}
    await client.put("/v1/catalog/flags/button", json=named("a"), headers=key)
    for path, body in (("button", named("b")), ("other", named("a"))):
        other = await client.put(f"/v1/catalog/flags/{path}", json=body, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_what_was_refused_may_be_tried_again_under_its_key(
    client: httpx.AsyncClient,
) -> None:
    key = {"idempotency-key": "one", "if-match": "*"}
    assert (await client.put("/v1/catalog/flags/f", json=FLAG, headers=key)).status_code == 412
    await client.put("/v1/catalog/flags/f", json=named("other"))
    assert (await client.put("/v1/catalog/flags/f", json=FLAG, headers=key)).status_code == 200


async def test_however_often_it_comes_at_once_it_is_done_once(
    client: httpx.AsyncClient, node: Node
) -> None:
    values = [{"is": "Variation", "key": "a", "value": "1"}]
    flag = {"is": "Flag", "key": "button", "variations": values, "default": "a"}
    body = {"commands": [{"is": "Create", "noun": flag}]}
    answers = await asyncio.gather(
        *(
            client.post("/v1/commands", json=body, headers={"idempotency-key": "k"})
            for _ in range(30)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 29
    assert node.served(SPACE).revision == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_key_is_short_and_printable(client: httpx.AsyncClient) -> None:
    for key in (b"", b"x" * 256, b"\xe9", b"a\x7fb"):
        sent = [(b"idempotency-key", key)]
        answer = await client.put("/v1/catalog/flags/f", json=FLAG, headers=sent)
        assert (answer.status_code, answer.json()["path"]) == (400, "headers.Idempotency-Key")
    twice = [("idempotency-key", "a"), ("idempotency-key", "b")]
    assert (await client.put("/v1/catalog/flags/f", json=FLAG, headers=twice)).status_code == 400
