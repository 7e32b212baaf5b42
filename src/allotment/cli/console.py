"""Where things are printed: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final, TextIO

from rich.console import Console

# A table that is piped into a file is not squeezed into the 80 columns of no terminal.
_PIPED_WIDTH: Final = 120


def _width(stream: TextIO) -> int | None:
    told = stream.isatty() or "COLUMNS" in os.environ
    return None if told else _PIPED_WIDTH


results: Final = Console(width=_width(sys.stdout))
notes: Final = Console(stderr=True, width=_width(sys.stderr))


def print_json(plain: Any, *, to: Console = results) -> None:
    """Print plain data as one line of JSON."""
    to.out(json.dumps(plain, ensure_ascii=False), highlight=False)
