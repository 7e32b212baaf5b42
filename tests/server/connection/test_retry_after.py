"""Every refusal of a budget says when to come again, in the form of the API that is asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from allotment.errors import StoreError
from allotment.server.http.limits import (
    BODIES_BYTES_MAX,
    BODY_VALUES_MAX,
    FILES_OF_OURS,
    PIPELINED_MAX,
    STRANGERS_MAX,
    VALUE_BYTES,
)
from allotment.server.sync.executor import Executor
from allotment.server.sync.node import PAST_WAITING_MAX, WRITES_WAITING_MAX
from allotment.store import Store
from rawclient import Raw, RawClient, connected, get, post
from server.connection.test_budgets import CATALOG, SLOW_PAST, explanation
from server.nodes import calling, running
from serving import Server, serving

PLACES = PAST_WAITING_MAX + 10
CONNECTIONS = STRANGERS_MAX + 20


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server of few places and few connections, whose catalogs of the past wait for a file."""
    folder = tmp_path_factory.mktemp("small")
    notes, goes_on = folder / "notes", folder / "goes-on"
    files = f"--nofile={CONNECTIONS + FILES_OF_OURS}"
    watched = [sys.executable, str(SLOW_PAST), str(notes), str(goes_on), "serve"]
    env = {"ALLOTMENT_CONCURRENCY": str(PLACES)}
    program = ["prlimit", files, *watched]
    with serving(folder, catalog=CATALOG, env=env, program=program) as server:
        with server.client() as client:
            flag = {"variations": {"on": True, "off": False}, "default": "off"}
            client.put("/v1/catalog/flags/f", json=flag).raise_for_status()
        yield server, goes_on


Opened = Callable[[], RawClient]


def too_many_ahead(opened: Opened) -> Raw | None:
    client = opened()
    client.send(get("/v1/snapshot") * (PIPELINED_MAX * 3))
    while (answer := client.answer()) is not None and answer.status == 200:
        pass
    return answer


def too_many_strangers(opened: Opened) -> Raw | None:
    head, body = post("/v1/flags:resolve", b'{"flags": []}').split(b"\r\n\r\n", 1)
    for _ in range(STRANGERS_MAX):
        opened().send(head + b"\r\n\r\n" + body[:5])
    return refused(lambda: opened_once(opened, head + b"\r\n\r\n" + body))


def too_many_connections(opened: Opened) -> Raw | None:
    for _ in range(CONNECTIONS):
        opened()
    return refused(lambda: opened_once(opened, get("/v1/assign/search-order/u")))


def too_much_of_the_past(opened: Opened) -> Raw | None:
    for _ in range(PAST_WAITING_MAX + 1):
        opened().send(explanation(1))
    return refused(lambda: opened_once(opened, explanation(1), patience=0.5))


def too_large_bodies(opened: Opened) -> Raw | None:
    fill(opened)
    # It fits into what the kernel holds, so that it is sent before the refusal comes.
    return refused(lambda: opened_once(opened, post("/v1/commands", b"[" + b"0," * 10_000)))


def too_large_answers(opened: Opened) -> Raw | None:
    fill(opened)
    return refused(lambda: opened_once(opened, get("/openapi.json")))


def fill(opened: Opened) -> None:
    """Hold nearly all the room there is for bodies with two that are not whole yet."""
    count = int(BODIES_BYTES_MAX / 2 / (VALUE_BYTES + 2)) - 1_000
    assert count < BODY_VALUES_MAX
    whole = post("/v1/commands", b"[" + b"0," * count + b"0]")
    for _ in range(2):
        while not is_held(opened(), whole[:-1]):  # while the requests of the test before still end
            time.sleep(0.2)


def is_held(client: RawClient, part: bytes) -> bool:
    """Whether a request that is not whole is waited for, and not refused."""
    try:
        client.send(part)
        client.socket.settimeout(0.5)
        client.answer()
    except ConnectionError:
        return False
    except TimeoutError:
        return True
    return False


def opened_once(opened: Opened, request: bytes, patience: float = 15.0) -> Raw | None:
    client = opened()
    client.socket.settimeout(patience)
    try:
        client.send(request)
        return client.answer()
    except (TimeoutError, ConnectionError):  # it may close before it has read all that comes
        return None


def refused(ask: Callable[[], Raw | None]) -> Raw | None:
    """The first refusal: those before may still be on their way in."""
    deadline = time.monotonic() + 15
    while (answer := ask()) is None or answer.status < 429:
        assert time.monotonic() < deadline, "it is never refused"
        time.sleep(0.2)  # each asks on a connection of its own, and there are few
    return answer


def is_answered(server: Server) -> bool:
    with connected(server.url) as client:
        answer = opened_once(lambda: client, get("/v1/assign/search-order/u"))
    return answer is not None and answer.status == 200


@pytest.mark.parametrize(
    ("provoke", "said"),
    [
        (too_many_ahead, "may wait on one connection"),
        (too_many_strangers, "others at this address"),
        (too_many_connections, "as many connections"),
        (too_much_of_the_past, "past wait already"),
        (too_large_bodies, "bodies and answers of other requests"),
        (too_large_answers, "bodies and answers of other requests"),
    ],
)
def test_a_refusal_of_a_connections_budget_says_when_to_come_again(
    small: tuple[Server, Path], provoke: Callable[[Opened], Raw | None], said: str
) -> None:
    server, goes_on = small
    with ExitStack() as all_of_them:
        answer = provoke(lambda: all_of_them.enter_context(connected(server.url)))
        goes_on.touch()
    assert answer is not None, "it is closed without a word"
    assert answer.status == 503
    assert said in answer.body.decode()
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["x-request-id"]
    while not is_answered(server):  # what went before may take a moment to end
        time.sleep(0.05)
    goes_on.unlink()


# What a full queue refuses, by the name of the queue in the node.
QUEUES = {
    "_writers": ("PUT", "/v1/catalog/layers/l", "{}"),
    "_tokens": ("POST", "/v1/tokens", '{"scope": "read"}'),
    "_readers": ("GET", "/api/v2/experimentation/feature-flags", ""),
    "_pages": ("GET", "/v1/journal", ""),
    "_past": ("GET", "/v1/snapshot?revision=0", ""),
}


# What asks a provider of identities, or reads files: only where the settings name them.
UNASKED = {"_outside"}


@pytest.mark.anyio
@pytest.mark.parametrize("queue", QUEUES)
async def test_a_refusal_of_a_full_queue_says_when_to_come_again(
    tmp_path: Path, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, body = QUEUES[queue]
    async with running(str(tmp_path / "allotment.db")) as node, calling(node) as client:
        bounded = {
            name
            for name, each in vars(node).items()
            if isinstance(each, Executor) and each._waiting_max <= WRITES_WAITING_MAX
        }
        assert bounded == {*QUEUES, *UNASKED}
        for layer in ("first", "second"):
            assert (await ask(client, "PUT", f"/v1/catalog/layers/{layer}", "{}")).is_success
        assert (await ask(client, method, path, body)).is_success
        monkeypatch.setattr(getattr(node, queue), "_waiting_max", 0)
        # Of the past another revision: what was made once is given without a place.
        answer = await ask(client, method, path.replace("revision=0", "revision=1"), body)
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.anyio
async def test_what_waits_too_long_is_refused_with_when_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(str(tmp_path / "allotment.db")) as node, calling(node) as client:
        monkeypatch.setattr("allotment.server.sync.node._WRITE_PATIENCE", -1.0)
        slow = await ask(client, "PUT", "/v1/catalog/layers/l", "{}")

        def away(_store: Store) -> None:
            raise StoreError("the store is away")

        monkeypatch.setattr(Store, "pulse", away)
        late = await client.get("/v1/snapshot", headers={"allotment-min-revision": "99"})
    for answer in (late, slow):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1


async def ask(client: httpx.AsyncClient, method: str, path: str, body: str) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return await client.request(method, path, content=body or None, headers=headers)
