"""`allotment serve`: answer over HTTP, and be changed over it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from allotment.cli.console import results
from allotment.cli.options import existing
from allotment.store import Store

NAME = "serve"

Example = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Begin with this catalog where the store is new, and print lines to try.",
    ),
]

# Who listens everywhere is reached here, too.
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def run(*, settings: Settings, example: Example = None) -> None:
    """Serve assignments and the management APIs until a signal; the store is made if need be.

    Every setting can also be set by the environment (ALLOTMENT_PORT and so on) and in a file; see
    `allotment config show`.
    """
    from allotment.server.serve import serve  # noqa: PLC0415  # see settings_of

    if example is not None:
        _show(existing(example), settings)
    raise typer.Exit(serve(settings))


def _show(example: Path, settings: Settings) -> None:
    from allotment.cli.example import begin_with, lines_to_try  # noqa: PLC0415

    with Store.open(settings.database_url) as store:
        catalog = begin_with(example, store)
    if not settings.port:
        return  # it is not known yet where the lines would lead
    host = _EVERYWHERE.get(settings.host, settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    for line in lines_to_try(catalog, url, with_token=not settings.insecure_local):
        results.out(line, highlight=False)
    results.file.flush()
