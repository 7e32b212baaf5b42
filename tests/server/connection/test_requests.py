"""What is a request and what is none, byte by byte, against a server that runs."""

import time

import pytest

from allotment.server.http.limits import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    TARGET_BYTES_MAX,
)
from rawclient import RawClient, connected, get, post
from serving import Server

GOOD = get()

MALFORMED = {
    "not HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header without a name": get("/healthz", ": value"),
    "a space before the colon": get("/healthz", "Authorization : Bearer x"),
    "a folded header": get("/healthz", "X-Folded: a\r\n b"),
    "a bare CR in a header": get("/healthz", "X-Bare: a\rb"),
    "a NUL in a header": get("/healthz", "X-Nul: a\0b"),
    "a bare LF at the end": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "two lengths": post("/v1/commands", b"{}", "Content-Length: 3"),
    "a length and chunks": post("/v1/commands", b"{}", "Transfer-Encoding: chunked"),
    "a negative length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "a length that overflows": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1"
    + b"0" * 30
    + b"\r\n\r\n",
    "a broken chunk": b"POST /v1/commands HTTP/1.1\r\nHost: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": get("/healthz", "Host: localhost", "Host: elsewhere"),
    "bytes that are no ASCII in the target": b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_answered_400_and_ends_the_connection(
    what: str, client: RawClient, server: Server
) -> None:
    answer = client.ask(MALFORMED[what])
    assert answer.status == 400
    assert answer.problem["code"] == "invalid_input"
    assert answer.headers["connection"] == "close"
    assert client.answer() is None
    with connected(server.url) as next_client:
        assert next_client.ask(GOOD).status == 200


def headers(count: int) -> bytes:
    return get("/healthz", *(f"X-{number}: 1" for number in range(count - 1)))


def test_a_head_has_a_hundred_headers_and_no_more(client: RawClient) -> None:
    assert client.ask(headers(HEADERS_MAX)).status == 200
    assert client.ask(headers(HEADERS_MAX + 1)).problem["status"] == 431


@pytest.mark.parametrize("over", [0, 1])
def test_a_head_has_sixteen_kilobytes_and_no_more(over: int, client: RawClient) -> None:
    counted = len("/healthz") + len("Host: localhost\r\n") + len("X-Long: \r\n")
    line = f"X-Long: {'x' * (HEAD_BYTES_MAX - counted + over)}"
    assert client.ask(get("/healthz", line)).status == (431 if over else 200)


def test_a_head_without_end_is_cut_off_early(client: RawClient) -> None:
    client.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Endless: ")
    for _ in range(4):
        client.send(b"x" * 8000)
    answer = client.answer()
    assert answer is not None
    assert answer.problem["status"] == 431


def test_a_client_that_still_sends_its_head_reads_the_answer(client: RawClient) -> None:
    """Closing under it would reset the connection before the answer is read."""
    assert client.ask(get("/healthz", *["X-Much: " + "x" * 60_000] * 60)).status == 431


@pytest.mark.parametrize("over", [0, 1])
def test_a_target_has_eight_kilobytes_and_no_more(over: int, client: RawClient) -> None:
    target = "/healthz?" + "q" * (TARGET_BYTES_MAX - len("/healthz?") + over)
    assert client.ask(get(target)).status == (414 if over else 400)  # there is no parameter q


@pytest.mark.parametrize("header", ["Content-Encoding: gzip", "Content-Encoding: br"])
def test_a_compressed_body_is_not_read(header: str, client: RawClient) -> None:
    assert client.ask(post("/v1/commands", b"\x1f\x8b" * 20, header)).problem["status"] == 415
    assert client.ask(GOOD).status == 200, "the connection goes on behind it"


def test_a_body_in_another_transfer_encoding_is_not_read(client: RawClient) -> None:
    head = post("/v1/commands", b"", "Transfer-Encoding: gzip, chunked").replace(
        b"Content-Length: 0\r\n", b""
    )
    assert client.ask(head + b"0\r\n\r\n").problem["status"] == 415


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(client: RawClient) -> None:
    head = post("/v1/tokens", b"").replace(b"Length: 0", b"Length: %d" % (BODY_BYTES_MAX + 1))
    assert client.ask(head).problem["status"] == 413


def test_a_body_that_turns_out_too_large_is_refused(client: RawClient) -> None:
    head = post("/v1/assign", b"", "Transfer-Encoding: chunked")
    client.send(head.replace(b"Content-Length: 0\r\n", b""))
    for _ in range(BODY_BYTES_MAX // 0x10000 + 1):
        client.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
    answer = client.answer()
    assert answer is not None
    assert answer.problem["status"] == 413


def test_a_client_that_sends_all_before_it_reads_gets_its_answer(client: RawClient) -> None:
    body = b" " * (8 << 20)
    assert client.ask(post("/v1/assign", body)).status == 413
    assert client.ask(GOOD).status == 200, "the connection goes on behind the body"
    assert client.ask(post("/v1/assign", body, "Connection: close")).status == 413
    assert client.answer() is None


def test_requests_sent_ahead_are_answered_in_their_order(client: RawClient) -> None:
    client.send(get("/healthz") + get("/nowhere") + get("/healthz") * 20 + b"nonsense\r\n\r\n")
    statuses = []
    while (answer := client.answer()) is not None:
        statuses.append(answer.status)
    assert statuses == [200, 404, *[200] * 20, 400]


def test_assignments_and_other_requests_sent_ahead_are_answered_in_their_order(
    client: RawClient,
) -> None:
    """Some are answered as they are read, some by a task; nothing behind a `close` is."""
    assign = post("/v1/assign", b'{"unit":"a","experiment":"none"}')
    broken = post("/v1/assign", b"[]")
    page = get("/v1/catalog/experiments")
    last = post("/v1/assign", b'{"unit":"a"}', "Connection: close")
    client.send(assign + page + broken + assign + page + last + assign)
    statuses = []
    while (answer := client.answer()) is not None:
        statuses.append(answer.status)
    assert statuses == [200, 200, 400, 200, 200, 200]


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_an_assignment_is_the_same_in_however_many_pieces_it_comes(
    pieces: int, client: RawClient
) -> None:
    whole = post("/v1/assign", b'{"unit":"a","experiment":"none"}')
    size = -(-len(whole) // pieces)
    for start in range(0, len(whole), size):
        client.send(whole[start : start + size])
        time.sleep(0.01)
    answer = client.answer()
    assert answer is not None
    assert answer.status == 200
    assert b"UNKNOWN_EXPERIMENT" in answer.body


def test_too_many_requests_sent_ahead_end_the_connection(client: RawClient) -> None:
    client.send(GOOD * 150)
    statuses = []
    while (answer := client.answer()) is not None:
        statuses.append(answer.status)
    assert 100 <= len(statuses) < 150
    assert set(statuses[:-1]) == {200}
    assert statuses[-1] == 503


def test_a_client_that_asks_first_is_told_to_go_on(client: RawClient) -> None:
    body = b'{"commands": []}'
    whole = post("/v1/commands", body, "Expect: 100-continue")
    client.send(whole.removesuffix(body))
    interim = client.answer()
    assert interim is not None
    assert interim.status == 100
    assert client.ask(body).status < 500


def test_a_client_that_asks_first_and_is_refused_starts_anew(client: RawClient) -> None:
    """It may send the body all the same, or not: the next request could begin anywhere."""
    head = post("/nowhere", b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 30")
    answer = client.ask(head)
    assert answer.status == 404
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("to", ["websocket", "h2c"])
def test_nothing_is_upgraded_to(to: str, client: RawClient) -> None:
    upgrade = get("/healthz", "Connection: Upgrade", f"Upgrade: {to}")
    client.send(upgrade * 2 + GOOD)
    for _ in range(3):
        answer = client.answer()
        assert answer is not None
        assert answer.status == 200


def test_a_header_behind_the_body_is_no_header(client: RawClient) -> None:
    head = post("/v1/commands", b"", "Transfer-Encoding: chunked", "Trailer: Authorization")
    chunks = b"2\r\n{}\r\n0\r\n" + b"X-Late: y\r\n" * 300 + b"\r\n"
    answer = client.ask(head.replace(b"Content-Length: 0\r\n", b"") + chunks)
    assert answer.status == 400  # `{}` holds no commands
    assert client.ask(GOOD).status == 200


def test_a_trailer_without_end_is_cut_off(client: RawClient) -> None:
    head = post("/v1/commands", b"", "Transfer-Encoding: chunked")
    client.send(head.replace(b"Content-Length: 0\r\n", b"") + b"0\r\nX-Endless: ")
    for _ in range(20):
        client.send(b"x" * 60_000)
    answer = client.answer()
    assert answer is not None
    assert answer.status == 431


@pytest.mark.parametrize("path", ["/healthz", "/v1/snapshot", "/nowhere"])
def test_head_is_answered_as_get_is_without_the_body(path: str, client: RawClient) -> None:
    whole = client.ask(get(path))
    client.send(get(path).replace(b"GET", b"HEAD"))
    head = client.answer(to_head=True)
    assert head is not None
    assert (head.status, head.headers.keys()) == (whole.status, whole.headers.keys())
    assert client.ask(GOOD).status == 200, "the connection goes on behind it"


def test_a_client_of_http_1_0_is_answered_once(client: RawClient) -> None:
    answer = client.ask(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert answer.status == 200
    assert client.answer() is None
