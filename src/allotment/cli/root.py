"""The commands, gathered, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

import allotment
from allotment.cli.console import (
    DIFFERS,
    escape_what_cannot_be_written,
    manner,
    notes,
    print_json,
    results,
)
from allotment.cli.options import home_of, home_of_all_spaces, with_builders
from allotment.cli.serve import settings_of
from allotment.errors import AllotmentError

# What the system's own programs exit with for wrong usage (EX_USAGE of sysexits.h). The parser
# exits with `DIFFERS`: a script must not take a typing error for a difference.
_USAGE: Final = 64


class Commands(TyperGroup):
    """A group whose commands end in one line instead of a traceback when something is refused.

    A command is imported when it is asked for: most need a part of the library only.
    """

    _said: int | None = None

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # as click calls it
        """The names of all commands, as the help lists them."""
        return list(_MADE)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; None where there is none, for which all are then known."""
        for name in (cmd_name,) if cmd_name in _MADE else _MADE:
            if name not in self.commands:
                self.add_command(_MADE[name](name), name)
        return super().get_command(ctx, cmd_name)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments and run the command that they name; wrong usage exits 64."""
        escape_what_cannot_be_written()
        self._said = None
        try:
            return super().main(*args, **kwargs)
        except SystemExit as end:
            if end.code == DIFFERS and self._said is None:
                raise SystemExit(_USAGE) from end
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what is refused and what the system refuses exits 1, an interrupt 130."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()  # a full disk is reported here, not at the exit
        except typer.Exit as end:
            self._said = end.exit_code
            raise
        except BrokenPipeError:  # the reader has gone: typer ends quietly
            raise
        except AllotmentError as error:
            _tell(ctx, f"error: {error}", error.message, error.path)
            raise typer.Exit(1) from error
        except (OSError, UnicodeError) as error:
            sentence = _sentence(error)
            _tell(ctx, f"error: {sentence}", sentence)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            sentence = "interrupted; nothing was written"
            _tell(ctx, sentence, sentence)
            raise typer.Exit(128 + (error.args[0] if error.args else signal.SIGINT)) from error
        return done


def _sentence(error: OSError | UnicodeError) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return " ".join(str(error).split())
    if error.filename is None:
        return f"the output cannot be written: {error.strerror}"
    return f"{error.filename}: {error.strerror}"


def _tell(ctx: Any, line: str, message: str, path: str = "") -> None:
    """Say what went wrong, as the command was asked to: in a line or in JSON."""
    asked = manner(ctx)
    if asked.as_json:
        plain = {"error": {"message": message, "path": path}}
        try:
            print_json(plain, to=asked.to)
        except (OSError, UnicodeError):  # it may be standard output that went wrong
            print_json(plain, to=notes)
    else:
        notes.print(" ".join(line.split("\n")), style="red", markup=False, soft_wrap=True)
    _give_up_output()


def _give_up_output() -> None:
    """Redirect standard output to nowhere, so that flushing at the exit cannot fail again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_version(value: bool) -> None:
    if value:
        results.print(f"allotment {allotment.__version__}", highlight=False)
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
]


app = typer.Typer(
    cls=Commands,
    name="allotment",
    help="Which treatment of which experiment a unit gets: the same answer everywhere.",
    epilog="Exits with 0 when done, 1 when something is refused, 2 where `--exit-code` asks"
    " for it, 64 for wrong usage, 130 when interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root(*, version_: Version = False) -> None:
    """Take the options that stand before a command."""


def _command(name: str) -> Any:
    """A command that is called as its module."""
    module = import_module(f"allotment.cli.{_MODULES.get(name, name)}")
    alone = typer.Typer(add_completion=False)
    alone.command(name)(with_builders(module.run, home=home_of, settings=settings_of))
    return typer.main.get_command(alone)


def _group(name: str) -> Any:
    """Commands that are about one thing: `allotment NAME COMMAND`."""
    module = import_module(f"allotment.cli.{_MODULES.get(name, name)}")
    group = typer.Typer(name=name, help=module.ABOUT, no_args_is_help=True, add_completion=False)
    home = home_of if name == "import" else home_of_all_spaces
    for word, run in _of_group(module).items():
        group.command(word)(with_builders(run, home=home, settings=settings_of))
    return typer.main.get_group(group)


def _of_group(module: Any) -> dict[str, Callable[..., None]]:
    if module.NAME != "import":
        return {word: getattr(module, _FUNCTIONS.get(word, word)) for word in _GROUPS[module.NAME]}
    from allotment.cli.import_platform import command_of  # noqa: PLC0415  # it knows all importers
    from allotment.importers import IMPORTERS  # noqa: PLC0415

    platforms = {platform: command_of(platform) for platform in IMPORTERS}
    return {**platforms, "assignments": module.assignments}


_GROUPS: Final = {
    "config": ("show",),
    "space": ("create", "list"),
    "import": (),
    "token": ("create", "list", "revoke"),
}
_MODULES: Final = {"list": "listing", "import": "import_assignments"}
_FUNCTIONS: Final = {"list": "list_"}
_COMMANDS: Final = (
    *("assign", "explain", "plan", "apply", "list", "export", "history", "rollback"),
    *("backup", "adopt", "validate", "srm", "sql", "serve"),
)
# What makes each command, by its name.
_MADE: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(_COMMANDS, _command),
    **dict.fromkeys(_GROUPS, _group),
}
