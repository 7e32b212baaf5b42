"""`allotment serve`, with a watch over its event loop: run with the file that it writes to.

What runs on the loop is timed by the processor's clock of the loop's thread, so that what other
processes do on the machine counts for nothing. Each callback that took longer than a millisecond is
a line: its milliseconds, and what it was.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

sys.modules["uvloop"] = None  # type: ignore[assignment]  # its handles cannot be watched

from allotment.cli.app import main  # noqa: E402

NOTED_SECONDS = 0.001


def watch(path: Path) -> None:
    """Time every callback of every loop from now on."""
    run: Any = asyncio.Handle._run

    def timed(handle: Any) -> None:
        began = time.thread_time()
        run(handle)
        took = time.thread_time() - began
        if took > NOTED_SECONDS:
            with path.open("a") as file:
                file.write(f"{took * 1000:.1f} {handle!r}"[:400].replace("\n", " ") + "\n")

    asyncio.Handle._run = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    watch(Path(sys.argv.pop(1)))
    main()
