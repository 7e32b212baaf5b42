"""What an engine that follows a server tells of itself, as events of OpenFeature."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.provider import AbstractProvider

from allotment.compile import Snapshot
from allotment.engine import Engine


class StatusOfEngine(Protocol):
    """How an engine stands that follows a server."""

    @property
    def revision(self) -> int:
        """The revision of what is answered from."""

    @property
    def source(self) -> str:
        """Where that comes from; "none" where nothing is there yet."""

    @property
    def error(self) -> str | None:
        """Why the server could not be asked the last time; None while all is well."""


@runtime_checkable
class FollowingEngine(Protocol):
    """An engine that follows a server, as `allotment.connect` gives one."""

    def status(self) -> StatusOfEngine:
        """How it stands now."""

    def on_change(self, callback: Callable[[StatusOfEngine], None]) -> Callable[[], None]:
        """Call `callback` after each publish and when the error comes or goes, until the end."""


class Events:
    """Emits a provider's events, from when it is initialised until it is shut down.

    late  what is to be emitted before the next answer: that an engine was stale at the start. The
          SDK takes every provider that begins for ready, and says so last.
    """

    def __init__(self, engine: Engine, provider: AbstractProvider) -> None:
        self._engine = engine
        self._provider = provider
        self._lock = threading.Lock()
        self._snapshot = engine.snapshot
        self._was = "READY"
        self._stop: Callable[[], None] | None = None
        self.late: ProviderEventDetails | None = None

    def begin(self) -> str:
        """Listen to the engine; gives what is wrong where it has no catalog yet."""
        if not isinstance(self._engine, FollowingEngine):
            return ""
        with self._lock:
            self._snapshot = self._engine.snapshot
            status = self._engine.status()
            self._was = _state_of(status)
            if self._was == "STALE":
                self.late = _details(status)
            if self._stop is None:
                self._stop = self._engine.on_change(self._changed)
        return (status.error or "no catalog is there yet") if status.source == "none" else ""

    def tell(self) -> None:
        """Emit what is late."""
        with self._lock:
            late, self.late = self.late, None
        if late is not None:
            self._provider.emit_provider_stale(late)

    def end(self) -> None:
        """Listen no more."""
        with self._lock:
            stop, self._stop = self._stop, None
            self.late = None
        if stop is not None:
            stop()

    def _changed(self, status: StatusOfEngine) -> None:
        now = _state_of(status)
        with self._lock:
            if self._stop is None:
                return
            was, self._was = self._was, now
            if now != "STALE":
                self.late = None
            before, self._snapshot = self._snapshot, self._engine.snapshot
            after = self._snapshot
        details = _details(status)
        if now != was:
            if now == "READY":
                self._provider.emit_provider_ready(details)
            elif now == "STALE":
                self._provider.emit_provider_stale(details)
            else:
                details.error_code = ErrorCode.PROVIDER_NOT_READY
                self._provider.emit_provider_error(details)
        if after is not before:
            changed = ProviderEventDetails(flags_changed(before, after), metadata=details.metadata)
            self._provider.emit_provider_configuration_changed(changed)


def _details(status: StatusOfEngine) -> ProviderEventDetails:
    return ProviderEventDetails(message=status.error, metadata={"revision": status.revision})


def _state_of(status: StatusOfEngine) -> str:
    if status.source == "none":
        return "ERROR"
    return "STALE" if status.error is not None else "READY"


def flags_changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The flags that may resolve otherwise: they, or experiments of theirs, were compiled again."""
    flags = {key for key, *_ in after.catalog.flags.differing(before.catalog.flags)}
    plans = {key for key, *_ in after.plans.differing(before.plans)}
    if plans:
        flags.update(
            flag.key
            for flag in after.catalog.flags.values()
            if any(each.experiment in plans for each in flag.experiments)
        )
    return sorted(flags)
