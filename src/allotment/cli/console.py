"""Where things are printed: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, Final, TextIO

import typer
from rich.console import Console

# A table that is piped into a file is not squeezed into the 80 columns of no terminal.
_PIPED_WIDTH: Final = 120


# What a command exits with under --exit-code where there is something to look at.
DIFFERS: Final = 2


def _width(stream: TextIO) -> int | None:
    is_known = stream.isatty() or "COLUMNS" in os.environ
    return None if is_known else _PIPED_WIDTH


results: Final = Console(width=_width(sys.stdout))
notes: Final = Console(stderr=True, width=_width(sys.stderr))


@dataclass(slots=True)
class Manner:
    """How a command was asked to print: it is known before its arguments are acted on.

    as_json  machine-readable; an error is JSON, too, and nothing is noted beside it
    to       where JSON goes: standard output, unless that holds the data
    """

    as_json: bool = False
    to: Console = results


def manner(context: typer.Context) -> Manner:
    """The manner of the command that runs; one for a context and those within it."""
    found = context.meta.setdefault("allotment.manner", Manner())
    assert isinstance(found, Manner)
    return found


def is_plain(console: Console) -> bool:
    """Whether a console takes no more than ASCII for certain: its encoding is no UTF."""
    return not console.encoding.startswith("utf")


def print_json(plain: Any, *, to: Console = results) -> None:
    """Print plain data as one line of JSON."""
    to.out(json.dumps(plain, ensure_ascii=is_plain(to)), highlight=False)


def escape_what_cannot_be_written() -> None:
    """Have text that an output's encoding lacks written as escapes: no command ends on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
