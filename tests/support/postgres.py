"""A PostgreSQL server for the tests: started from the machine's binaries, gone when they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

# PostgreSQL will not run as root: there the user that its package makes runs it.
OWNER = "postgres" if os.geteuid() == 0 else None
AS_OWNER: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.environ["PATH"]}}
if OWNER:
    AS_OWNER |= {"user": OWNER, "group": OWNER, "extra_groups": []}

# One user without a password; sorted by bytes; and no waiting for the disk while it is laid out.
INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

# Runs the server for as long as somebody holds the other end of its input: it ends with the process
# that started it, however that ends, and takes the folder along once that process is gone.
KEEPER = """
trap '' INT TERM HUP
"$@" </dev/null & server=$!
read -r how || how=QUIT
kill -s "$how" "$server"
wait "$server"
if ! read -r rest; then rm -rf "$0"; fi
"""


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs; the newest server's that is installed."""
    installed = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(installed, key=lambda path: float(path.parts[4]), default=None)
    found = str(newest) if newest else shutil.which(name)
    if found is None:
        raise FileNotFoundError(
            f"these tests need PostgreSQL's {name}: install the package `postgresql` "
            "(apt-get install postgresql), or put its folder of programs on PATH"
        )
    return found


class Postgres:
    """A server with its own data, reached by a socket in its own folder; nothing needs a password.

    `fsync` says whether a commit waits for the disk, which only tests that pull the plug ask for.
    """

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.folder = folder
        self._data = str(folder / "data")
        self._fsync = fsync
        self._keeper: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._free: list[str] = []
        if OWNER:
            shutil.chown(folder, OWNER)
        laid = subprocess.run(
            [binary("initdb"), "-D", self._data, *INITDB],
            **AS_OWNER,
            capture_output=True,
            text=True,
            check=False,
        )
        assert laid.returncode == 0, laid.stderr

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases, as a store takes it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def connect(self, url: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        """A connection behind the store's back, where each statement is a transaction."""
        conninfo = (url or self.url()).replace("+psycopg", "")
        return psycopg.connect(conninfo, autocommit=True)

    def fresh(self) -> str:
        """The URL of an empty database; `release` gives it back."""
        if self._free:
            return self._free.pop()
        self._count += 1
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE test_{self._count}")
        return self.url(f"test_{self._count}")

    def release(self, url: str) -> None:
        """End who still uses a database, and empty it; making another takes far longer."""
        with self.connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self._free.append(url)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        assert self._keeper is None, "it runs already"
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if self._fsync else "off",
            "full_page_writes": "on" if self._fsync else "off",
            "shared_buffers": "16MB",
            "max_connections": "100",
            "autovacuum": "off",
        }
        settings = [text for item in options.items() for text in ("-c", "=".join(item))]
        log = (self.folder / "log").open("ab")
        with log:
            self._keeper = subprocess.Popen(
                [
                    "sh",
                    "-c",
                    KEEPER,
                    str(self.folder),
                    binary("postgres"),
                    "-D",
                    self._data,
                    *settings,
                ],
                **AS_OWNER,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while not self._answers():
            log_text = (self.folder / "log").read_text(errors="replace")
            assert self._keeper.poll() is None, f"PostgreSQL did not start:\n{log_text}"
            assert time.monotonic() < deadline, f"PostgreSQL does not answer:\n{log_text}"
            time.sleep(0.02)

    def stop(self, how: str = "INT") -> None:
        """Stop the server by a signal: INT ends every session, QUIT is as good as a crash."""
        keeper, self._keeper = self._keeper, None
        assert keeper is not None, "it does not run"
        assert keeper.stdin is not None
        keeper.stdin.write(f"{how}\n\n".encode())
        keeper.stdin.close()
        keeper.wait(30)

    def restart(self, how: str = "INT") -> None:
        """Stop the server, by a signal, and start it again."""
        self.stop(how)
        self.start()

    def kill_sessions(self, application: str = "%") -> int:
        """End the sessions of applications whose names are like this; returns how many."""
        with self.connect() as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IS NOT NULL"
                " AND pid <> pg_backend_pid() AND application_name LIKE %s",
                [application],
            )
            return len(ended.fetchall())

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), self.connect():
            return True
        return False


@contextmanager
def postgres(*, fsync: bool = False) -> Iterator[Postgres]:
    """A server that runs until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="allotment-pg-", dir="/tmp"))
    try:
        server = Postgres(folder, fsync=fsync)
        server.start()
        try:
            yield server
        finally:
            if server._keeper is not None:
                server.stop("QUIT")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
