"""Behind nginx, as it is in Debian: what it passes on is read as it reads it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rawclient import RawClient, connected, get
from serving import Server, serving

DOCS = Path(__file__).parents[2] / "docs"
CATALOG = Path(__file__).parents[2] / "examples" / "serve" / "catalog.yaml"
EXPERIMENT = "search-order"

# What many have in front of any application: connections that are kept, and the map for WebSockets.
STOCK = """
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
upstream allotment { server ADDRESS; keepalive 1; }
server {
    listen 127.0.0.1:PORT;
    location / {
        proxy_pass http://allotment;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
    }
}
"""


def documented(address: str, port: int) -> str:
    """The configuration of docs/production.md, without TLS and on this machine."""
    [text] = re.findall(r"```nginx\n(.*?)```", (DOCS / "production.md").read_text(), re.DOTALL)
    text = re.sub(
        r"    server 10\.0\.0\.11:8080;\n    server 10\.0\.0\.12:8080;", "", text, count=1
    )
    text = text.replace("upstream allotment {", f"upstream allotment {{ server {address};")
    text = re.sub(r" *ssl_certificate\S* .*\n", "", text)
    assert "listen 443 ssl;" in text
    return text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")


def stock(address: str, port: int) -> str:
    return STOCK.replace("ADDRESS", address).replace("PORT", str(port))


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def nginx(folder: Path, site: str, port: int) -> Iterator[str]:
    """nginx in front, in the foreground and in a folder of its own."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    assert program, "nginx is missing: `apt-get install nginx-light` (see .ci/run)"
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{each}_temp_path {folder}/{each};" for each in paths)
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        f"events {{}} http {{ access_log off; {temporary}\n{site}\n}}"
    )
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "user root;"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert running.poll() is None, (folder / "error.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.communicate(timeout=15)


@pytest.fixture(params=[documented, stock])
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A server with an example catalog, and the address in front of it."""
    configured: Callable[[str, int], str] = request.param
    folder = tmp_path / "nginx"
    folder.mkdir()
    with serving(tmp_path, catalog=CATALOG) as server:
        port = free_port()
        with nginx(folder, configured(urlsplit(server.url).netloc, port), port) as url:
            yield server, url


def ask_as_admin(client: RawClient, token: str) -> int:
    path = f"/v1/catalog/experiments/{EXPERIMENT}"
    return client.ask(get(path, f"Authorization: Bearer {token}")).status


def test_no_body_is_executed_with_the_token_of_the_next_client(front: tuple[Server, str]) -> None:
    server, url = front
    token = server.token()
    time.sleep(0.3)  # the server knows it within a poll of the store
    smuggled = f"DELETE /v1/catalog/experiments/{EXPERIMENT} HTTP/1.1\r\nX: "
    with connected(url) as attacker, connected(url) as admin:
        assert ask_as_admin(admin, token) == 200
        for offer in ("websocket", "h2c", "TLS/1.0"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                head = (
                    f"{method} /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                    f"Upgrade: {offer}\r\nContent-Length: {len(smuggled)}\r\n\r\n"
                )
                attacker.send((head + smuggled).encode())
                assert attacker.answer() is not None
                assert ask_as_admin(admin, token) == 200


def test_what_is_refused_in_front_and_behind_leaves_the_connection_usable(
    front: tuple[Server, str],
) -> None:
    _, url = front
    for _ in range(20):
        with connected(url) as client:
            client.send(get("/nowhere", "Upgrade: h2c", "Connection: Upgrade"))
            answer = client.answer()
            assert answer is not None
            assert answer.status in (401, 404)
        with connected(url) as client:
            assert client.ask(get()).status == 200
