"""Threads that do what would hold up the event loop, and a bound on how much may wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from allotment.errors import Overloaded
from allotment.server.counters import Counters

T = TypeVar("T")


class Crew:
    """A few threads. Whoever comes while too many wait already is turned away at once."""

    def __init__(self, name: str, threads: int, waiting_max: int, counters: Counters) -> None:
        self._name = name
        self._waiting_max = waiting_max
        self._counters = counters
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"allotment-{name}")
        self.waiting = 0

    async def do(self, work: Callable[[], T]) -> T:
        """What `work` gives, done in one of the threads; raises Overloaded where too many wait."""
        if self.waiting >= self._waiting_max:
            self._counters.shed[self._name] += 1
            raise Overloaded(f"more than {self._waiting_max:,} {self._name} wait already")
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Finish what is under way; what only waits is given up."""
        self._threads.shutdown(wait=True, cancel_futures=True)
