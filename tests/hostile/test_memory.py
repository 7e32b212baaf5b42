"""The memory of a server whom many send or ask as much as they may, at once.

`make test` asks a part of the largest, `make soak` all of it. The bounds are those of the full
size: what the budgets count, and four times as much for what becomes of it (decision 49).
"""

from __future__ import annotations

import io
import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from allotment.model.limits import LISTED_IDS_MAX
from allotment.server.http.limits import BATCH_BYTES_MAX, BODIES_BYTES_MAX, BODY_VALUES_MAX
from rawclient import connected, post
from serving import SHOP, Server, serving

pytestmark = pytest.mark.memory

AT_ONCE = 40
READERS = 12
MEBIBYTE = 1 << 20
WAITING = 60 * MEBIBYTE

# Of bodies that wait nothing is made yet; a bytearray that grows has an eighth to spare.
BOUND_WAITING = BODIES_BYTES_MAX * 9 // 8 + 32 * MEBIBYTE
BOUND_READ = 4 * BODIES_BYTES_MAX

# The budget of batches in memory, and as much again for the blocks under way and the allocator.
BOUND_BATCHES = 1024 * MEBIBYTE

# A page of the journal is made one at a time, and those that are not read yet share the budget.
BOUND_PAGES = 4 * BODIES_BYTES_MAX

PARTS = [64, pytest.param(1, marks=pytest.mark.soak)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, catalog=SHOP) as server:
        with server.client() as client:  # so that what is loaded late is there
            client.post("/v1/assign/batch", json={"units": ["a"]}).raise_for_status()
            client.get("/v1/journal").raise_for_status()
        yield server


def peak(server: Server) -> int:
    """The most bytes of memory that the server has had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak(server: Server) -> None:
    """What the server has now is the most it has had."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def grown(server: Server, before: int, what: object) -> int:
    more = peak(server) - before
    print(f"{what}: {more / MEBIBYTE:,.0f} MiB more")
    return more


def test_40_bodies_of_60_mebibytes_that_wait_take_the_budget_and_no_more(server: Server) -> None:
    before = peak(server)
    head = post("/v1/commands", b"", f"X-Size: {WAITING}")
    head = head.replace(b"Content-Length: 0", b"Content-Length: %d" % WAITING)
    statuses: Counter[int] = Counter()
    with ExitStack() as opened:
        for _ in range(AT_ONCE):
            client = opened.enter_context(connected(server.url, 0.5))
            client.send(head)
            try:
                for _ in range(WAITING // MEBIBYTE - 1):
                    client.send(b" " * MEBIBYTE)
                client.send(b" " * (MEBIBYTE - 1))
                answer = client.answer()
            except TimeoutError:
                statuses[0] += 1  # it waits for the last byte
            except ConnectionError:
                statuses[503] += 1  # it was refused, and closed
            else:
                statuses[503 if answer is None else answer.status] += 1
        more = grown(server, before, statuses)
    assert statuses == {0: BODIES_BYTES_MAX // WAITING, 503: AT_ONCE - BODIES_BYTES_MAX // WAITING}
    assert more < BOUND_WAITING


SMALL = [b"[]", *(pytest.param(each, marks=pytest.mark.soak) for each in (b"{}", b'{"abcd%d":1}'))]


@pytest.mark.parametrize("item", SMALL)
def test_bodies_of_many_small_values_take_four_times_the_budget_at_the_most(
    server: Server, item: bytes
) -> None:
    values = item.count(b"{") + item.count(b"[") + item.count(b'"') // 2 + item.count(b"1")
    count = (BODY_VALUES_MAX - 3) // values
    items = (item % n for n in range(count)) if b"%" in item else [item] * count
    body = b'{"commands":[' + b",".join(items) + b"]}"
    before = peak(server)

    def ask(_number: int) -> int:
        with server.client(timeout=120) as client:
            headers = {"content-type": "application/json"}
            return client.post("/v1/commands", content=body, headers=headers).status_code

    with ThreadPoolExecutor(4) as callers:
        statuses = Counter(callers.map(ask, range(4)))
    more = grown(server, before, (item, statuses))
    assert set(statuses) <= {400, 503}
    assert statuses[400] >= 1
    assert more < BOUND_READ


def batches(size: int) -> dict[str, bytes]:
    """A batch of so many bytes in each form."""
    units = [f"{number:058d}" for number in range(size // 61 - 10)]
    table = pa.table({"unit": units})
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=65_536)
    return {
        "application/json": json.dumps({"units": units}, separators=(",", ":")).encode(),
        "application/x-ndjson": b"\n".join(b'{"unit":"%b"}' % each.encode() for each in units),
        "application/vnd.apache.arrow.stream": stream.getvalue(),
    }


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("form", [*batches(1_000)])
def test_40_batches_at_once_stay_within_the_memory_for_batches(
    server: Server, form: str, part: int
) -> None:
    body = batches(BATCH_BYTES_MAX // part)[form]
    before = peak(server)

    def ask(_number: int) -> int:
        try:
            with (
                server.client(timeout=600) as client,
                client.stream(
                    "POST", "/v1/assign/batch", content=body, headers={"content-type": form}
                ) as answer,
            ):
                for _ in answer.iter_raw(MEBIBYTE):
                    pass
                return answer.status_code
        except httpx.TransportError:  # refused while it was sent
            return 503

    with ThreadPoolExecutor(AT_ONCE) as callers:
        statuses = Counter(callers.map(ask, range(AT_ONCE)))
    more = grown(server, before, (form, statuses))
    assert set(statuses) <= {200, 503}
    # At the full size a client that reads nothing while it sends may be turned away: the room for
    # answers that wait is full.
    assert part == 1 or statuses == {200: AT_ONCE}
    assert more < BOUND_BATCHES


def filled(begin: bytes, item: bytes, end: bytes, size: int) -> bytes:
    """A text of so many bytes that repeats an item; `%d` in it is the item's number."""
    each = len(item % 0 if b"%" in item else item) + 1
    count = (size - len(begin) - len(end)) // (each + 6 * item.count(b"%"))
    items = (item % n for n in range(count)) if b"%" in item else [item] * count
    return begin + b",".join(items) + end


LARGE = {
    "one unit": (b'{"units":["a",[', b"[]", b"]]}"),
    "experiments": (b'{"units":["a"],"experiments":[', b'"%d"', b"]}"),
    "names": (b'{"units":["a"],"attributes":{', b'"%d":[1]', b"}}"),
    "columns": (
        b'{"units":["a"],"attributes":{',
        b'"%%d":[[%b]]' % b",".join([b"[]"] * 170_000),
        b"}}",
    ),
}


def test_a_batch_of_the_largest_size_is_read_in_pieces_whatever_it_holds(server: Server) -> None:
    before = peak(server)
    for what, text in LARGE.items():
        body = filled(*text, BATCH_BYTES_MAX - MEBIBYTE)
        with server.client(timeout=60) as client:
            answer = client.post("/v1/assign/batch", content=body)
        assert answer.status_code in (400, 413), answer.text[:300]
        # The document, a copy of it, and pieces.
        assert grown(server, before, (what, answer.json()["detail"])) < 3 * BATCH_BYTES_MAX


UNREAD = {
    "application/json": [b'{"experiments":[%b],"units":[%b,', b'{"a":1}', b"]}"],
    "application/x-ndjson": [b'%.0b%b\n{"unit":[', b"[]", b"]}\n"],
}


@pytest.mark.parametrize("form", UNREAD)
def test_batches_whose_answers_are_not_read_stay_within_the_memory_for_batches(
    server: Server, form: str
) -> None:
    names = [f"{number}".ljust(200, "x") for number in range(200)]
    units = [b'"%d"' % number for number in range(3_000)]
    if form == "application/x-ndjson":
        units = [b'{"unit":%b}' % unit for unit in units]
    between = b"," if form == "application/json" else b"\n"
    begin, item, end = UNREAD[form]
    begin %= (json.dumps(names).encode()[1:-1], between.join(units))
    body = filled(begin, item, end, MEBIBYTE - 1)
    query = (
        "" if form == "application/json" else "?" + "&".join(f"experiment={n}" for n in names[:30])
    )
    request = post(f"/v1/assign/batch{query}", body)
    request = request.replace(b"application/json", form.encode(), 1)
    before = peak(server)
    statuses: Counter[int] = Counter()
    with ExitStack() as opened:
        clients = []
        for _ in range(4 * AT_ONCE):
            client = opened.enter_context(connected(server.url))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.send(request)
            clients.append(client)
        for client in clients:
            statuses[int(client.incoming.readline().split()[1])] += 1
        more = grown(server, before, (form, len(body), statuses))
    assert set(statuses) <= {200, 503}
    assert statuses[200] >= AT_ONCE // 4
    assert more < BOUND_BATCHES


@pytest.mark.parametrize("part", PARTS)
def test_many_pages_of_the_journal_over_long_lists_stay_within_the_budget(
    server: Server, part: int
) -> None:
    before = peak(server)
    with server.client(timeout=300) as client:
        for number in range(3):
            ids = [f"{number}-{at:040d}" for at in range(LISTED_IDS_MAX // part)]
            answer = client.put("/v1/catalog/segments/long", json={"include": ids})
            assert answer.is_success, answer.text
    forget_peak(server)
    grown(server, before, "the lists")

    def ask(_number: int) -> int:
        with server.client(timeout=300) as client:
            return client.get("/v1/journal", params={"limit": 1000}).status_code

    with ThreadPoolExecutor(READERS) as callers:
        statuses = Counter(callers.map(ask, range(READERS)))
    more = grown(server, before, statuses)
    assert set(statuses) <= {200, 503}
    assert statuses[200] >= 1
    assert more < BOUND_PAGES
