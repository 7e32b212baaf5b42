"""Waiting for what must come, and for no longer than it may take."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], seconds: float, pause: float = 0.01) -> float:
    """Wait until the condition holds; returns how many seconds that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"it did not come to that in {seconds} seconds"
        time.sleep(pause)
    return time.monotonic() - began
