"""The entry point: what the process does about signals and about what is not installed."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from allotment.model.bulk import without_collecting


def main() -> None:
    """Run the command line; exits 0 when done, 1 when refused, 64 for wrong usage."""
    # A terminated run ends like an interrupted one: what it was writing is removed.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _terminate)
    try:
        with without_collecting():
            from allotment.cli.root import app  # noqa: PLC0415  # it needs an optional dependency

        app()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("allotment"):
            raise
        sys.exit(f"error: the command line needs {error.name}: pip install 'allotment[batch]'")
    except KeyboardInterrupt as error:  # while it loads; a command that runs has its own words
        sys.exit(128 + (error.args[0] if error.args else signal.SIGINT))


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    main()
