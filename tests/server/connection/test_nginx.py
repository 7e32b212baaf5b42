"""Behind nginx, as it is in Debian: a request is read as nginx reads it, and is from anywhere."""

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

import httpx
import pytest

from hostile.operations import operations
from rawclient import RawClient, connected, get
from serving import Server, free_port, serving

DOCS = Path(__file__).parents[3] / "docs"
CATALOG = Path(__file__).parents[3] / "examples" / "serve" / "catalog.yaml"
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


# The shortest that anyone writes: nginx then names no client, and itself as the host.
BARE = """
server {
    listen 127.0.0.1:PORT;
    location / { proxy_pass http://ADDRESS; }
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


def bare(address: str, port: int) -> str:
    return BARE.replace("ADDRESS", address).replace("PORT", str(port))


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


Configured = Callable[[str, int], str]


@contextmanager
def fronted(
    folder: Path, configured: Configured, *, insecure_local: bool
) -> Iterator[tuple[Server, str]]:
    """A server with an example catalog, and the address in front of it."""
    (folder / "nginx").mkdir()
    with serving(folder, catalog=CATALOG, insecure_local=insecure_local) as server:
        port = free_port()
        site = configured(urlsplit(server.url).netloc, port)
        with nginx(folder / "nginx", site, port) as url:
            yield server, url


@pytest.fixture(params=[documented, stock])
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    with fronted(tmp_path, request.param, insecure_local=False) as found:
        yield found


def ask_as_admin(client: RawClient, token: str) -> int:
    path = f"/v1/catalog/experiments/{EXPERIMENT}"
    return client.ask(get(path, f"Authorization: Bearer {token}")).status


def test_no_body_is_executed_with_the_token_of_the_next_client(front: tuple[Server, str]) -> None:
    server, url = front
    token = server.token()
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


@pytest.mark.parametrize("configured", [documented, stock, bare])
def test_whatever_a_proxy_says_nothing_is_open_without_a_token(
    configured: Configured, tmp_path: Path
) -> None:
    with fronted(tmp_path, configured, insecure_local=False) as (server, url):
        known = operations(httpx.get(f"{server.url}/openapi.json", trust_env=False).json())
        closed = [each for each in known if each.scope != "none"]
        assert {"POST /v1/tokens", "GET /v1/snapshot"} < {str(each) for each in closed}
        assert len(closed) > 100
        with httpx.Client(base_url=url, trust_env=False) as attacker:
            for host in (urlsplit(url).netloc, "localhost", urlsplit(server.url).netloc):
                for operation in closed:
                    body = operation.example() if operation.body else None
                    answer = attacker.request(
                        operation.method, operation.url(), json=body, headers={"host": host}
                    )
                    by_nginx = configured is documented and operation.path == "/metrics"
                    expected = 403 if by_nginx else 401
                    assert answer.status_code == expected, f"{operation} as {host}: {answer.text}"
            assert attacker.get("/healthz").status_code == 200
            token = {"authorization": f"Bearer {server.token()}"}
            assert attacker.get("/v1/snapshot", headers=token).json()["revision"] == 1


def test_a_server_that_trusts_this_machine_answers_no_proxy_that_says_that_it_is_one(
    tmp_path: Path,
) -> None:
    with fronted(tmp_path, documented, insecure_local=True) as (server, url):
        for path in ("/v1/snapshot", "/v1/assign/search-order/user-1", "/healthz"):
            assert httpx.get(f"{server.url}{path}", trust_env=False).status_code == 200
            assert httpx.get(f"{url}{path}", trust_env=False).status_code == 403
