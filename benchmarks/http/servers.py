"""The servers that are compared, by name: how each is started."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.http.constant import ANSWER
from benchmarks.load.servers import HOUSE, Server, free_port, ours, raw, started
from clients import python_with


class NotInstalledError(Exception):
    """A server that the distribution brings, and that is not there."""


NGINX: Final = """
daemon off;
worker_processes 1;
pid pid;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 200 '{answer}'; }}
  }}
}}
"""


@contextmanager
def nginx() -> Iterator[Server]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise NotInstalledError("nginx is not installed here (Debian: apt-get install nginx-light)")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "nginx.conf"
        settings.write_text(NGINX.format(port=port, answer=ANSWER.decode()))
        command = [program, "-e", "stderr", "-p", folder, "-c", str(settings)]
        with started(command, port) as server:
            yield server


def granian() -> AbstractContextManager[Server]:
    python = python_with(*wanted("granian"), pinned("uvloop"))
    return _by_granian(python, "benchmarks.http.granian_constant:app", "rsgi")


@contextmanager
def robyn() -> Iterator[Server]:
    port = free_port()
    command = [str(python_with(*wanted("robyn"))), "-m", "benchmarks.http.robyn_constant"]
    with started([*command, str(port)], port) as server:
        yield server


def blacksheep() -> AbstractContextManager[Server]:
    """By the quicker of the two servers that it names."""
    python = python_with(*wanted("blacksheep"), *wanted("granian"), pinned("uvloop"))
    return _by_granian(python, "benchmarks.http.blacksheep_constant:app", "asgi")


@contextmanager
def _by_granian(python: Path, application: str, interface: str) -> Iterator[Server]:
    port = free_port()
    command = [str(python.parent / "granian"), application, f"--interface={interface}"]
    command += ["--http=1", "--no-ws", "--loop=uvloop", "--no-access-log", "--log-level=warning"]
    command += ["--workers=1", "--runtime-threads=1", f"--port={port}"]
    with started(command, port) as server:
        yield server


@contextmanager
def uvloop() -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.http.uvloop_constant", str(port)]
    with started(command, port) as server:
        yield server


def fastapi() -> AbstractContextManager[Server]:
    return raw("benchmarks.http.fastapi_route:app")


@contextmanager
def allotment(**settings: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder), settings=settings) as server:
        yield server


SERVERS: Final[Mapping[str, Callable[[], AbstractContextManager[Server]]]] = MappingProxyType(
    {
        "raw": raw,
        "nginx": nginx,
        "granian": granian,
        "robyn": robyn,
        "blacksheep": blacksheep,
        "fastapi": fastapi,
        "uvloop": uvloop,
        "allotment": allotment,
        "slow path": lambda: allotment(ALLOTMENT_FAST_PATH="false"),
    }
)


def wanted(name: str) -> list[str]:
    """What the group `bench-http` of pyproject.toml says of a package."""
    groups = tomllib.loads((HOUSE / "pyproject.toml").read_text())["dependency-groups"]
    return [each for each in groups["bench-http"] if each.partition("==")[0] == name]


def pinned(name: str) -> str:
    """The version of a package that our server runs on."""
    return f"{name}=={importlib.metadata.version(name)}"


def versions() -> dict[str, str]:
    """The version of each server that has one of its own."""
    ours_ = {"raw": "uvicorn", "fastapi": "fastapi", "uvloop": "uvloop"}
    theirs = {name: wanted(name)[0].partition("==")[2] for name in SERVERS if wanted(name)}
    return theirs | {name: importlib.metadata.version(of) for name, of in ours_.items()}
