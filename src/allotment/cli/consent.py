"""What cannot be undone is asked first: on a terminal by a question, elsewhere by `--yes`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from allotment.cli.console import notes
from allotment.errors import InvalidInput

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def ask(what: str, question: str, *, advice: str = "", can_ask: bool = True) -> None:
    """Say what is about to be done, and ask; raises InvalidInput unless the answer is yes.

    Without a terminal nothing can be asked. `advice` is another way than `--yes`.
    """
    ways = f"; say --yes if that is meant{f'; {advice}' if advice else ''}"
    if not (can_ask and sys.stdin.isatty()):
        raise InvalidInput(what + ways)
    notes.print(what, markup=False, highlight=False, soft_wrap=True)
    if not typer.confirm(question, err=True):
        raise InvalidInput(f"nothing was changed{ways}")
