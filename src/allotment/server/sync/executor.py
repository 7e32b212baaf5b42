"""Thread pools with bounded queues, for work that would block the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from traceback import clear_frames
from typing import Any, Final, TypeVar

from allotment.errors import Overloaded
from allotment.server.sync.threads import Threads

T = TypeVar("T")

_UNBOUNDED: Final = 1 << 62


class Executor:
    """A thread pool with a bounded queue. The first work starts its threads."""

    def __init__(
        self, name: str, count: int, threads: Threads, waiting_max: int = _UNBOUNDED
    ) -> None:
        self._name = name
        self._waiting_max = waiting_max
        self._shed = threads.counters.shed
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._loops = [threads.loop(name, self._step, 0) for _ in range(count)]
        self._started = self._closed = False
        self.waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """What `work` gives, done in one of the threads; raises Overloaded where too many wait."""
        if self.waiting >= self._waiting_max:
            self._shed[self._name] += 1
            raise Overloaded(f"more than {self._waiting_max:,} {self._name} wait already")
        if self._closed or all(each.is_dead for each in self._loops):
            raise Overloaded(f"no thread does {self._name} any more; ask another process")
        if not self._started:
            self._started = True
            for each in self._loops:
                each.start()
        future: Future[T] = Future()
        self._jobs.put((future, work))
        self.waiting += 1
        try:
            return await asyncio.wrap_future(future)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Finish what is under way; what only waits is given up."""
        self._closed = True
        with suppress(Empty):
            while True:
                if job := self._jobs.get_nowait():
                    job[0].cancel()
        for each in self._loops:
            each.stop(0)
        for _ in self._loops:
            self._jobs.put(None)  # wakes a thread that waits for work
        for each in self._loops:
            each.stop(None)

    def _step(self) -> None:
        """Do the next job. What it raises goes to its caller, and never ends a thread."""
        job = self._jobs.get()
        if job is None:
            return
        future, work = job
        if future.set_running_or_notify_cancel():
            try:
                done = work()
            except BaseException as error:  # noqa: BLE001  # `SystemExit` too
                # What the work had made is freed here, not by who waits on the event loop.
                clear_frames(error.__traceback__)
                future.set_exception(error)
            else:
                future.set_result(done)
