"""`allotment config show`: what a server would be set to, and by what."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from allotment.cli.console import print_json, results
from allotment.cli.options import AsJson
from allotment.cli.serve import Settings

NAME = "config"
ABOUT = "What a server is set to."


def show(*, settings: Settings, as_json: AsJson = False) -> None:
    """Show every setting, its value, and where the value comes from; secrets are masked.

    Takes the flags of `serve`: they win over the environment (ALLOTMENT_HOST and so on), which wins
    over the file, which wins over the defaults.
    """
    sources = settings.sources()
    if as_json:
        print_json({one.name: {"value": one.value, "from": one.origin} for one in sources})
        return
    table = Table(box=SIMPLE_HEAD)
    for heading in ("setting", "value", "from"):
        table.add_column(heading, overflow="fold")
    for one in sources:
        value = "" if one.value is None else str(one.value)
        style = "" if one.origin == "default" else "bold"
        table.add_row(one.name, escape(value), escape(one.origin), style=style)
    results.print(table)
