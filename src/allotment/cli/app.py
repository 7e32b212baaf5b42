"""The entry point: what the process does about signals and about what is not installed."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Run the command line; exits 0 when done, 1 when refused, 2 for a usage error."""
    # A terminated run ends like an interrupted one: what it was writing is removed.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        from allotment.cli.root import app  # noqa: PLC0415  # it needs an optional dependency
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("allotment"):
            raise
        sys.exit(f"error: the command line needs {error.name}: pip install 'allotment[batch]'")
    app()


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
