"""A thread that looks again and again, and lets nothing it meets stop it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from allotment.errors import AllotmentError

# How long to wait before looking again where looking failed, at most, in seconds.
_PAUSE_MAX: Final = 1.0

# How long stopping waits for a look under way; one that hangs dies with the process.
_PATIENCE: Final = 2.0

log: Final = logging.getLogger("allotment.server")


class Watch:
    """Calls `look` every `seconds` from a thread of its own; failures make the pauses grow."""

    def __init__(self, name: str, look: Callable[[], None], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"allotment-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look under way is waited for, but not for long."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        pause = self._seconds
        said = ""
        while not self._stopping.wait(pause):
            try:
                self._look()
            except Exception as error:  # a watcher that died would never be missed
                pause = min(pause * 2, max(_PAUSE_MAX, self._seconds))
                if said != (said := str(error)):
                    ours = not isinstance(error, AllotmentError | OSError)
                    log.warning(
                        "%s: %s", self._thread.name, error, exc_info=error if ours else None
                    )
            else:
                if said:
                    log.info("%s: all is well again", self._thread.name)
                pause, said = self._seconds, ""
