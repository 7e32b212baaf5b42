"""A server as it is in the world: its own process, its own port, its own working directory."""

import hashlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

import allotment
from allotment.cli.changes import commands_of
from allotment.sources import checked_change
from allotment.store import Scope, Store, Token

SHOP = Path(__file__).with_name("shop.yaml")  # experiments of a small shop
FLAG_CATALOG = Path(__file__).with_name("flag.yaml")  # one flag with an experiment
OFREP = Path(__file__).with_name("ofrep.yaml")  # flags of every type

PATIENCE = 30.0  # seconds: this machine may be doing much else

# One worker knows what is new in the store; the others look some 20 times a second too.
OTHERS_LOOK_SECONDS = 0.5

_DRAWS = Path(__file__).parent / "draws"  # what makes a server draw the same in every run
_LISTENING = re.compile(r"http://[^\s\"]+")

# False in `make soak`, where what a server draws differs from run to run.
same_draws = True

_servers: Counter[str] = Counter()  # how many a test has started


def _label() -> str:
    """A name for what the next server draws, as in every other run; empty if it is to roll dice."""
    if not same_draws:
        return ""
    test, _, _ = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")
    _servers[test] += 1
    return f"{test}/{_servers[test]}"


@dataclass
class Server:
    """A server under test; `url` is where it listens, also after a restart.

    `log` is all it has said. `kill` ends it as the power would, `stop` asks it to end and gives its
    exit code, `restart` starts it again on the same port and the same store.
    """

    folder: Path
    environment: Mapping[str, str]
    database: str
    url: str = ""
    program: Sequence[str] = (sys.executable, "-m", "allotment.cli.app", "serve")
    _label: str = field(default_factory=_label, init=False, repr=False)
    _launched: int = field(default=0, init=False, repr=False)
    process: subprocess.Popen[bytes] = field(init=False, repr=False)

    @property
    def log(self) -> str:
        return self._file.read_text(errors="replace")

    @property
    def _file(self) -> Path:
        return self.folder / "server.log"

    def client(self, *, token: str | None = None, timeout: float = PATIENCE) -> httpx.Client:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout, trust_env=False)

    def token(
        self, scope: str = "admin", *, space: str = "default/production", ttl: float | None = None
    ) -> str:
        """The text of a new token, which every worker knows by the time that this returns.

        One that has a time to live, `ttl` in seconds, is not waited for.
        """
        text = f"allot_{secrets.token_urlsafe(32)}"
        now = round(time.time() * 1000)
        expires = None if ttl is None else now + round(ttl * 1000)
        digest = hashlib.sha256(text.encode()).hexdigest()
        token = Token(secrets.token_hex(8), digest, Scope(scope), space, "test", now, expires, None)
        store = Store.open(self.database)
        try:
            store.add_token(token)
        finally:
            store.close()
        deadline = time.monotonic() + PATIENCE
        with self.client(token=text) as client:
            while ttl is None and client.get("/v1/snapshot").status_code == 401:
                assert time.monotonic() < deadline, "the server does not know the token"
                time.sleep(0.01)
        if ttl is None and self.environment.get("ALLOTMENT_WORKERS", "1") != "1":
            time.sleep(OTHERS_LOOK_SECONDS)
        return text

    def engine(self) -> allotment.Engine:
        """An engine over the server's store: what the server should answer."""
        with Store.open(self.database) as store:
            return allotment.load(store)

    def start(self, path: str = "/readyz", patience: float = PATIENCE) -> None:
        """Start it and wait until it answers under this path."""
        begun = len(self.log) if self._file.exists() else 0
        self.launch()
        deadline = time.monotonic() + patience
        while not self._answers(begun, path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server did not start:\n{self.log[begun:]}")
            time.sleep(0.02)

    def launch(self) -> None:
        """Start it, and do not wait for it."""
        self._launched += 1
        with self._file.open("ab") as output:
            self.process = subprocess.Popen(
                self.program,
                cwd=self.folder,
                env={
                    **self.environment,
                    "TEST_DRAWS": self._label and f"{self._label}/{self._launched}",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its workers end with it
            )

    def memory(self) -> int:
        """What the process has in memory, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it ended by itself, and all its workers
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, patience: float = PATIENCE) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)

    def restart(self) -> None:
        self.kill()
        self.start()

    def _answers(self, begun: int, path: str) -> bool:
        if not self.url:
            said = _LISTENING.search(self.log[begun:])
            if said is None:
                return False
            self.url = said[0]
            self.environment = {**self.environment, "ALLOTMENT_PORT": self.url.rpartition(":")[2]}
        try:
            return httpx.get(f"{self.url}{path}", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def serving(
    tmp_path: Path,
    *,
    database_url: str | None = None,
    env: Mapping[str, str] | None = None,
    workers: int = 1,
    catalog: Path | None = None,
    until: str = "/readyz",
    insecure_local: bool = True,
    program: Sequence[str] = Server.program,
    patience: float = PATIENCE,
) -> Iterator[Server]:
    """A server that is ready, over SQLite in `tmp_path` unless `database_url` says otherwise.

    `catalog` is a file to put into the store first; `env` is added to its environment, in which
    nothing else of ours is set; `until` is what it must answer before it is used, `program` what is
    run. It takes callers without a token, as few tests are about who may call. It stops without
    delay (ALLOTMENT_DRAIN_SECONDS=0), and is killed with its workers at the end.
    """
    database = database_url or f"sqlite:///{tmp_path}/allotment.db"
    if catalog is not None:
        fill(database, catalog)
    ours = {
        "ALLOTMENT_DATABASE_URL": database,
        "ALLOTMENT_PORT": "0",
        "ALLOTMENT_WORKERS": str(workers),
        "ALLOTMENT_DRAIN_SECONDS": "0",
        "ALLOTMENT_INSECURE_LOCAL": str(insecure_local),
        **(env or {}),
    }
    server = Server(tmp_path, environment(ours), database, program=program)
    server.start(until, patience)
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of ours, in which nothing of ours is set but this."""
    others = {name: at for name, at in os.environ.items() if not name.startswith("ALLOTMENT_")}
    tested = Path(allotment.__file__).parents[1]
    return {**others, "PYTHONPATH": f"{tested}{os.pathsep}{_DRAWS}", **ours}


def fill(database: str, catalog: Path) -> None:
    """Make the store what a catalog file says."""
    store = Store.open(database)
    try:
        base = store.catalog()
        commands = commands_of(catalog, base)
        checked_change(commands, base)
        store.commit(commands, who="test", when=datetime.now(UTC), dialect="catalogfile")
    finally:
        store.close()
