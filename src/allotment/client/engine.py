"""An engine that follows a server by itself."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from allotment.client.address import Address
from allotment.client.current import Current
from allotment.client.status import EngineStatus
from allotment.compile import Snapshot
from allotment.engine import Engine
from allotment.errors import Forbidden, MissingExtra, NotFound, StoreError, Unauthorized

# What no second attempt changes.
_REFUSALS: Final = (Unauthorized, Forbidden, NotFound)

_CLOSING_SECONDS: Final = 5.0


def connect(  # noqa: PLR0913  # each is a setting
    url: str,
    *,
    token: str | None = None,
    space: str | None = None,
    last_good: str | os.PathLike[str] | None = None,
    timeout: float = 10.0,
    poll_seconds: float = 30.0,
) -> ConnectedEngine:
    """An engine that answers in this process and follows the server at `url`.

    token         a token of scope read; default: the environment variable ALLOTMENT_TOKEN
    space         "PROJECT/ENVIRONMENT"; default: the token's own
    last_good     a file to keep the newest catalog in, and to start from while the server is away;
                  it never expires. Processes of one application may share it
    timeout       how many seconds to wait for the server. 0 waits for nothing: until the server is
                  reached, every experiment and flag is unknown, or as in the last good file
    poll_seconds  how often to ask for changes even if the server's stream says of none

    One background thread follows; after a fork it begins again in the child. No call of `assign`
    waits for it. A revision never goes back.

    Raises InvalidInput for an address that is none or a file of another server. Where there is
    neither an answer in time nor a last good file, raises StoreError, or what the server refuses:
    Unauthorized, Forbidden, NotFound. Raises MissingExtra without httpx.
    """
    address = Address(url, token or os.environ.get("ALLOTMENT_TOKEN"), space)
    engine = ConnectedEngine(address, last_good, poll_seconds)
    try:
        engine.await_first(timeout)
    except BaseException:
        engine.close()
        raise
    return engine


class ConnectedEngine(Engine):
    """An engine that follows a server. `connect` makes one; close it, or use it in a `with` block.

    A pickled one is an `Engine` that stays at its revision.
    """

    def __init__(
        self, address: Address, last_good: str | os.PathLike[str] | None, poll_seconds: float
    ) -> None:
        """Begin with the last good file, if there is one, and follow from now on."""
        try:  # what follows loads slowly, and an engine that is loaded needs none of it
            from allotment.client.following import Following  # noqa: PLC0415
            from allotment.client.last_good import LastGoodFile  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"a server is followed by {error.name}: pip install 'allotment[client]'"
            ) from error
        self._now = Current()
        named = f"{address.url} {address.space or ''}".rstrip()
        file = None if last_good is None else LastGoodFile(Path(last_good), named)
        kept = None if file is None else file.load()
        if kept is not None:
            age = max(0.0, time.time() - kept.written)
            self._now.take(kept.snapshot, kept.lineage, "last good", age)
        super().__init__(self._now.snapshot)
        itself = weakref.ref(self)

        def publish(snapshot: Snapshot) -> None:
            engine = itself()
            if engine is not None:
                engine.publish(snapshot)

        self._following = Following(address, file, poll_seconds, self._now, publish)
        weakref.finalize(self, self._following.stop, 0.0).atexit = False
        _engines.add(self)
        self._following.start()

    def __reduce__(self) -> tuple[Any, ...]:
        return Engine, (self.snapshot,)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self) -> EngineStatus:
        """What is answered from, how old that is, and what is wrong, if anything is."""
        return self._now.status()

    def wait(self, revision: int, timeout: float = 10.0) -> None:
        """Return once the engine answers from `revision` or a later one.

        Raises TimeoutError where that takes longer than `timeout` seconds.
        """
        current = self._now
        if not current.wait(lambda: current.snapshot.revision >= revision, timeout):
            raise TimeoutError(f"revision {revision} is not here yet: {current.status()}")

    def on_change(self, callback: Callable[[EngineStatus], None]) -> Callable[[], None]:
        """Call `callback` with the status after each new revision, and when an error comes or goes.

        It is called in the background thread, which waits for it. Call what is given back to end
        that.
        """
        return self._now.on_change(callback)

    def close(self) -> None:
        """Follow no more; what was published last goes on answering."""
        _engines.discard(self)
        self._following.stop(_CLOSING_SECONDS)

    def await_first(self, timeout: float) -> None:
        """Return once the server was reached, or else a last good file is there; see `connect`."""
        if timeout <= 0:
            return
        current = self._now

        def is_clear() -> bool:
            if current.source != "none":
                return current.source == "server" or current.failure is not None
            return isinstance(current.failure, _REFUSALS)

        if current.wait(is_clear, timeout) and current.source != "none":
            return
        if current.source == "none":
            raise current.failure or StoreError(f"the server gave no answer in {timeout:g} s")

    def follow_again(self) -> None:
        """Follow in a process that was forked, where the thread that did so is not."""
        self._now.renew()
        self._following.start()


_engines: Final[weakref.WeakSet[ConnectedEngine]] = weakref.WeakSet()


def _follow_in_child() -> None:
    for engine in list(_engines):
        engine.follow_again()


def _close_all() -> None:
    for engine in list(_engines):
        engine.close()


os.register_at_fork(after_in_child=_follow_in_child)
atexit.register(_close_all)
