"""How much JSON holds and how deep it nests is bounded before anything is made of it."""

from __future__ import annotations

import gzip

import httpx
import pytest

from allotment.errors import InvalidInput, TooLarge
from allotment.server.http.limits import (
    BODIES_BYTES_MAX,
    BODY_DEPTH_MAX,
    BODY_VALUES_MAX,
    LISTS_BYTES_MAX,
    VALUE_BYTES,
)
from allotment.server.http.requests import read_body
from hostile.operations import Operation
from hostile.test_corpus import JSON, TAKE_MORE, with_bodies

BATCH = "/v1/assign/batch"  # read in blocks, whatever its size
CHUNK = 1 << 16


def values(count: int) -> bytes:
    """A list and its items, so many together."""
    return b"[" + b",".join([b"0"] * (count - 1)) + b"]"


async def read(*parts: bytes) -> tuple[bytes | bytearray, int]:
    """What `read_body` reads from parts, and how many bytes it counts in the budget."""
    held: list[int] = []
    came = iter(parts)
    left = len(parts)

    async def receive() -> dict[str, object]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(came), "more_body": left > 0}

    scope = {"headers": [], "hold": held.append}
    return await read_body(scope, receive, LISTS_BYTES_MAX), sum(held)


@pytest.mark.anyio
async def test_a_body_counts_by_what_becomes_of_it() -> None:
    body = b'{"a": [1, "b"], "c": null}'
    for parts in ([body], [body[:9], body[9:]], [body[n : n + 1] for n in range(len(body))]):
        assert await read(*parts) == (body, len(body) + 7 * VALUE_BYTES)
    assert LISTS_BYTES_MAX + VALUE_BYTES * BODY_VALUES_MAX < BODIES_BYTES_MAX


@pytest.mark.anyio
async def test_a_body_holds_as_many_values_as_allowed_and_no_more() -> None:
    body = values(BODY_VALUES_MAX)
    assert (await read(body))[0] == body
    with pytest.raises(TooLarge, match=r"8,000,000 values .* in parts"):
        await read(body[:-1], b",0]")


@pytest.mark.anyio
async def test_a_body_nests_as_deep_as_allowed_and_no_deeper() -> None:
    body = b"[" * BODY_DEPTH_MAX + b"]" * BODY_DEPTH_MAX
    assert (await read(body))[0] == body
    with pytest.raises(InvalidInput, match="deeper than 96"):
        await read(b"[", body, b"]")


def test_what_nests_too_deep_is_decoded_by_no_operation(
    client: httpx.Client, known: list[Operation]
) -> None:
    deep = b'{"a": ' * 2_000 + b"1" + b"}" * 2_000
    told = {}
    for operation in with_bodies(known):
        answer = client.request(operation.method, operation.url(), content=deep, headers=JSON)
        if answer.status_code != 400 or "deeper than 96" not in answer.text:
            told[str(operation)] = answer.text
    assert told == {}


@pytest.mark.parametrize("encoding", ["gzip", "identity, deflate", "zstd"])
def test_what_is_compressed_is_read_by_no_operation(
    client: httpx.Client, known: list[Operation], encoding: str
) -> None:
    told = {}
    for operation in with_bodies(known):
        headers = {**JSON, "content-encoding": encoding}
        body = gzip.compress(b"{}")
        answer = client.request(operation.method, operation.url(), content=body, headers=headers)
        if answer.status_code != 415 or "compressed" not in answer.text:
            told[str(operation)] = answer.text
    assert told == {}


def test_a_large_body_of_too_many_values_is_refused_before_it_is_there(
    client: httpx.Client, known: list[Operation]
) -> None:
    body = values(BODY_VALUES_MAX + 1)
    large = [each for each in with_bodies(known) if each.path in TAKE_MORE - {BATCH}]
    assert len(large) == 5
    kinds = ["application/json", "application/x-ndjson"]
    for operation in large:
        for kind in kinds if operation.path == "/v1/kept" else kinds[:1]:
            chunks = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
            answer = client.request(
                operation.method, operation.url(), content=chunks, headers={"content-type": kind}
            )
            assert answer.status_code == 413, f"{operation}: {answer.text}"
            assert "8,000,000" in answer.text
