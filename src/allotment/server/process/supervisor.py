"""Several processes that share a port.

They share one listening socket, made here and passed on, rather than one each (SO_REUSEPORT):
connections that wait on a shared socket are taken by whichever process is left when one dies or
ends, while those on a socket of its own are lost with it.

A worker is a fresh process, as a fork would copy threads that libraries have started. What it is
given stands on its standard input; when that ends, its work ends. So it is drained by closing the
pipe, and also when this process dies of whatever cause. No signal is passed on: what sends one to
a whole group of processes would then reach each worker twice, and twice means at once.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final

from allotment.server.process.drain import CLOSING_SECONDS, SIGNALS, take
from allotment.server.settings import Settings
from allotment.server.shared_metrics import forget_state

# A worker that ends sooner than this is not replaced before this has passed.
_PAUSE_SECONDS: Final = 1.0

_LOOK_SECONDS: Final = 0.05

# What uvicorn exits with when the application does not start.
NOT_STARTED: Final = 3

log: Final = logging.getLogger("allotment.server")


class Workers:
    """Keeps as many processes at work as the settings say, until a signal stops it."""

    def __init__(self, settings: Settings, sockets: Sequence[socket.socket]) -> None:
        self._settings = settings
        self._sockets = sockets
        self._workers: list[_Worker] = []
        self._metrics = Path()
        self._signals = 0
        self._reloads = False

    def run(self) -> int:
        """Serve until a signal; 0 when every worker has answered all it had taken."""
        take(SIGNALS, self._take)
        take([signal.SIGHUP], self._take_reload)
        with TemporaryDirectory(prefix="allotment-metrics-") as directory:
            self._metrics = Path(directory)
            return self._serve()

    def _serve(self) -> int:
        self._workers = [self._started(place) for place in range(self._settings.workers)]
        while not self._signals:
            if not self._replace_the_dead():
                return self._stop() or 1
            if self._reloads:
                self._reloads = False
                for worker in self._workers:
                    worker.reload()
            time.sleep(_LOOK_SECONDS)
        return self._stop()

    def _started(self, place: int) -> _Worker:
        return _Worker(self._settings, self._sockets, self._metrics, place)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._signals += 1

    def _take_reload(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._reloads = True

    def _replace_the_dead(self) -> bool:
        """Start a worker for each that ended; false if it could not start in the first place."""
        for place, worker in enumerate(self._workers):
            code = worker.process.poll()
            if code is None:
                continue
            if code == NOT_STARTED:
                return False
            forget_state(self._metrics, place)
            if time.monotonic() - worker.begun < _PAUSE_SECONDS:
                continue  # it would only end again
            fields = {"pid": worker.process.pid, "code": code}
            log.error("a worker ended and is replaced", extra={"fields": fields})
            self._workers[place] = self._started(place)
        return True

    def _stop(self) -> int:
        """Have all workers drain; those that hang, and all at a second signal, are killed."""
        for each in self._sockets:
            each.close()
        for worker in self._workers:
            worker.drain()
        settings = self._settings
        patience = settings.drain_seconds + settings.stop_seconds + CLOSING_SECONDS
        deadline = time.monotonic() + patience
        while any(worker.process.poll() is None for worker in self._workers):
            if self._signals > 1 or time.monotonic() > deadline:
                for worker in self._workers:
                    worker.process.kill()
            time.sleep(_LOOK_SECONDS)
        return 0 if all(worker.process.returncode == 0 for worker in self._workers) else 1


class _Worker:
    def __init__(
        self, settings: Settings, sockets: Sequence[socket.socket], metrics: Path, place: int
    ) -> None:
        numbers = [each.fileno() for each in sockets]
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "allotment.server.process.worker"],
            stdin=subprocess.PIPE,
            pass_fds=numbers,
        )
        given = {
            "sockets": numbers,
            "settings": settings.handed_on(),
            "metrics": str(metrics),
            "place": place,
        }
        self._tell(json.dumps(given).encode() + b"\n")

    def reload(self) -> None:
        """Have the settings read again; a worker that has ended needs no word."""
        with suppress(BrokenPipeError):
            self._tell(b"reload\n")

    def drain(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _tell(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()
