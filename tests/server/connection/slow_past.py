"""`allotment serve`, whose catalogs of earlier revisions wait: run with the paths of two files.

A line of the first is the number of a revision that is asked of the store; it is read once there
is the second.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from allotment.cli.app import main
from allotment.store import Store


def slow_down(notes: Path, goes_on: Path) -> None:
    """Note every catalog of the past, and have it wait."""
    read = Store.catalog

    def slow(store: Store, revision: int | None = None) -> Any:
        with notes.open("a") as file:
            file.write(f"{revision}\n")
        while not goes_on.exists():
            time.sleep(0.01)
        return read(store, revision)

    Store.catalog = slow  # type: ignore[method-assign]


if __name__ == "__main__":
    slow_down(Path(sys.argv.pop(1)), Path(sys.argv.pop(1)))
    main()
