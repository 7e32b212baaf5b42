"""What a piece of work costs, whatever tests ran before it in the process."""

import gc
import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU time that the work takes in this thread.

    Garbage is not collected meanwhile: a full collection walks all that the process holds, which is
    the tests' and not the work's, and takes half a second late in a run.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        began = time.thread_time()
        work()
        return time.thread_time() - began
    finally:
        if was:
            gc.enable()
