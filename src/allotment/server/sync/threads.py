"""Background threads: the one place that starts them and sees how they end.

A step that fails does not end its thread. What ends a thread all the same, a `SystemExit` or a
fault in here, is seen: `/readyz` and the metrics name the thread.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from allotment.errors import AllotmentError
from allotment.server.counters import Counters

# How long a thread waits after a step that failed: from the first to the most, in seconds.
_PAUSE_MIN: Final = 0.001
_PAUSE_MAX: Final = 1.0

# How long `stop` waits for a step under way; one that hangs ends with the process. In seconds.
_PATIENCE: Final = 2.0

log: Final = logging.getLogger("allotment.server")


class Threads:
    """The background threads of one process."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self._loops: list[Loop] = []

    def loop(
        self,
        name: str,
        step: Callable[[], None],
        seconds: float,
        last: Callable[[], None] = lambda: None,
    ) -> Loop:
        """A thread that calls `step` every `seconds`, and `last` at its end; not started yet."""
        made = Loop(name, step, seconds, last, self.counters)
        self._loops.append(made)
        return made

    @property
    def dead(self) -> Counter[str]:
        """How many threads ended that were not stopped, by name; 0 where none did."""
        found: Counter[str] = Counter()
        for each in self._loops:
            found[each.name] += each.is_dead
        return found


class Loop:
    """Calls `step` again and again from a thread of its own; failures make the pauses grow."""

    def __init__(
        self,
        name: str,
        step: Callable[[], None],
        seconds: float,
        last: Callable[[], None],
        counters: Counters,
    ) -> None:
        self.name = name
        self._step = step
        self._seconds = seconds
        self._last = last
        self._failures = counters.failures
        self._stopping = False
        self._woken = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name=f"allotment-{name}", daemon=True)

    @property
    def is_dead(self) -> bool:
        """Whether the thread was started and has ended, though it was not stopped."""
        started = self._thread.ident is not None
        return started and not self._stopping and not self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Do the next step now."""
        self._woken.set()

    def stop(self, patience: float | None = _PATIENCE) -> None:
        """End; a step under way is waited for so many seconds, with None for as long as it takes.

        It may be called in a step, which then is the last one.
        """
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(patience)

    def failed(self, error: Exception) -> None:
        """Count a failure of a step or of an item in it; log it unless the last one was the same.

        A step calls this for an item that it leaves out.
        """
        self._failures[self.name] += 1
        said = str(error) or type(error).__name__
        if said != self._said:
            ours = not isinstance(error, AllotmentError | OSError)
            log.warning("%s: %s", self._thread.name, said, exc_info=error if ours else None)
        self._said = said

    def _run(self) -> None:
        try:
            self._go()
        except BaseException:
            log.critical("%s ended by a fault: restart the process", self._thread.name)
            raise

    def _go(self) -> None:
        pause = self._seconds
        while self._waited(pause):
            before = self._failures[self.name]
            if self._did(self._step):
                pause = self._seconds
            else:
                pause = min(max(_PAUSE_MIN, pause * 2), max(_PAUSE_MAX, self._seconds))
            if self._said and before == self._failures[self.name]:
                log.info("%s: recovered", self._thread.name)
                self._said = ""
        self._did(self._last)

    def _waited(self, pause: float) -> bool:
        """Wait for the next step; false once there is none."""
        if pause and not self._stopping:
            self._woken.wait(pause)
            self._woken.clear()
        return not self._stopping

    def _did(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as error:  # noqa: BLE001  # the thread goes on
            self.failed(error)
            return False
        return True
