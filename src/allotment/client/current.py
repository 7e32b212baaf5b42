"""What a client answers from and how sure it is of that, shared by its threads."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from allotment.client.status import EngineStatus
from allotment.compile import Snapshot, compile_catalog
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY

Source: TypeAlias = Literal["server", "last good", "none"]

log: Final = logging.getLogger("allotment.client")


class Current:
    """The snapshot, with its lineage and its source, and why the server could not be asked last."""

    def __init__(self) -> None:
        self.snapshot = compile_catalog(EMPTY)
        self.lineage = ""
        self.source: Source = "none"
        self.failure: AllotmentError | None = None
        self._seen = time.monotonic()
        self._callbacks: tuple[Callable[[EngineStatus], None], ...] = ()
        self.renew()

    def renew(self) -> None:
        """Begin again in a process that was forked: a lock may be held by a thread left behind."""
        self._changed = threading.Condition()

    def status(self) -> EngineStatus:
        """How it stands now."""
        with self._changed:
            error = None if self.failure is None else str(self.failure)
            age = max(0.0, time.monotonic() - self._seen)
            return EngineStatus(self.snapshot.revision, age, self.source, error)

    def take(self, snapshot: Snapshot, lineage: str, source: Source, age: float = 0.0) -> None:
        """Stand at a snapshot, known to be the newest `age` seconds ago."""
        with self._changed:
            self.snapshot, self.lineage, self.source = snapshot, lineage, source
            self._seen = time.monotonic() - age
            if source == "server":
                self.failure = None
        self._tell()

    def confirm(self) -> None:
        """Note that the server has nothing newer."""
        with self._changed:
            failed, self.failure = self.failure, None
            told = failed is not None or self.source != "server"
            self.source = "server"
            self._seen = time.monotonic()
        if told:
            self._tell()

    def hear(self) -> None:
        """Note a sign of life of a server whose stream says of every change."""
        with self._changed:
            if self.failure is None and self.source == "server":
                self._seen = time.monotonic()

    def fail(self, error: AllotmentError) -> None:
        """Note that the server could not be asked."""
        with self._changed:
            told = self.failure is None
            self.failure = error
        if told:
            log.warning("%s", error)
            self._tell()

    def wait(self, reached: Callable[[], bool], timeout: float) -> bool:
        """Whether something holds, now or within so many seconds."""
        with self._changed:
            return self._changed.wait_for(reached, timeout)

    def on_change(self, callback: Callable[[EngineStatus], None]) -> Callable[[], None]:
        """Call back after each change; what is given back ends that."""
        with self._changed:
            self._callbacks += (callback,)

        def end() -> None:
            with self._changed:
                rest = [each for each in self._callbacks if each is not callback]
                self._callbacks = tuple(rest)

        return end

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
        status = self.status()
        for callback in self._callbacks:
            try:
                callback(status)
            except Exception:  # it is the application's, and the engine goes on
                log.exception("a callback of on_change failed")
