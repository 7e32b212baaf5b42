"""The commands, gathered, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from allotment.cli import apply, assign, explain, export, history, plan, validate
from allotment.cli.console import notes
from allotment.errors import AllotmentError


class Commands(TyperGroup):
    """A group whose commands end in one line instead of a traceback when something is refused."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what it raises as refused exits 1, an interrupt 130."""
        try:
            return super().invoke(ctx)
        except AllotmentError as error:
            notes.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            notes.print("interrupted; nothing was written")
            raise typer.Exit(130) from error


app = typer.Typer(
    cls=Commands,
    name="allotment",
    help="Which treatment of which experiment a unit gets: the same answer everywhere.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (assign, explain, plan, apply, export, history, validate):
    app.command(_command.NAME)(_command.run)
