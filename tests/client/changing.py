"""A server whose catalog a test changes, and proxies that treat its streams badly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

from serving import Server

_names = count(1)


def change(server: Server, token: str | None = None) -> int:
    """Rename a flag, which touches few nouns; the revision that this leads to."""
    name = {"is": "Rename", "kind": "flag", "key": "lonely", "name": f"Name {next(_names)}"}
    return commit(server, name, token)


def shift(server: Server, green: int) -> int:
    """Give `green` so many of a hundred of the units of `plain`'s new treatment."""
    weights = {"is": "SetWeights", "experiment": "plain", "allocation": "everyone", "total": 100}
    return commit(server, {**weights, "weights": [["control", 100 - green], ["new", green]]})


def commit(server: Server, command: dict[str, object], token: str | None = None) -> int:
    with server.client(token=token) as client:
        done = client.post("/v1/commands", json={"commands": [command]})
    assert done.is_success, done.text
    revision: int = done.json()["revision"]
    return revision


@contextmanager
def proxy(server: Server, *, streams: str) -> Iterator[str]:
    """The address of a proxy in front of a server.

    streams  "held": what comes on a connection that asks for a stream is never passed on; "cut":
             such a connection ends after a tenth of a second
    """
    to = urlsplit(server.url)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=pass_on, args=(client,), daemon=True).start()

    def pass_on(client: socket.socket) -> None:
        upstream = socket.create_connection((to.hostname or "", to.port or 0))
        is_stream = threading.Event()
        back = threading.Thread(target=give_back, args=(upstream, client, is_stream), daemon=True)
        back.start()
        with suppress(OSError):
            while data := client.recv(65536):
                if b"/v1/stream" in data:
                    is_stream.set()
                upstream.sendall(data)
        with suppress(OSError):
            upstream.shutdown(socket.SHUT_WR)

    def give_back(upstream: socket.socket, client: socket.socket, stream: threading.Event) -> None:
        with suppress(OSError), client, upstream:
            while data := upstream.recv(65536):
                if stream.is_set() and streams == "cut":
                    client.sendall(data)
                    stream.wait(0.1)
                    return
                if not stream.is_set():
                    client.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
