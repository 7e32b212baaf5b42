"""`allotment serve`: answer over HTTP, and be changed over it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from allotment.cli.console import results
from allotment.cli.options import existing
from allotment.errors import MissingExtra
from allotment.model.bulk import without_collecting

if TYPE_CHECKING:
    from allotment.server.settings import Settings
else:  # what serves is not needed, and perhaps not installed, where the other commands run
    Settings = object

__all__ = ["Settings", "settings_of"]

Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="A TOML file of settings; else ALLOTMENT_CONFIG, else allotment.toml."
    ),
]
Host = Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1 by default.")]
Port = Annotated[
    int | None, typer.Option(help="The port to listen on; 8080 by default, 0 for a free one.")
]
InsecureLocal = Annotated[
    bool,
    typer.Option(
        "--insecure-local",
        help="Let every caller on this machine do everything, without a token.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="PATH|URL",
        help="The store; allotment.db by default, or postgresql+psycopg://USER@HOST/NAME.",
    ),
]
Workers = Annotated[int | None, typer.Option(help="Processes that share the port; 1 by default.")]
LastGood = Annotated[
    Path | None,
    typer.Option(help="Where the last good catalogs are kept; beside the store by default."),
]
DrainSeconds = Annotated[
    float | None,
    typer.Option(
        help="How long it takes requests after a signal to stop, in seconds; 3 by default."
    ),
]
Exposures = Annotated[
    str | None,
    typer.Option(metavar="off|ndjson|parquet|webhook", help="Whether assignments are logged."),
]
ExposuresDir = Annotated[Path | None, typer.Option(help="Where they are logged.")]
LogLevel = Annotated[
    str | None,
    typer.Option(metavar="debug|info|warning|error", help="What is worth a line in the log."),
]
LogFormat = Annotated[
    str | None, typer.Option(metavar="auto|text|json", help="How lines in the log look.")
]


def settings_of(  # noqa: PLR0913  # each is a setting; the others have no flag
    *,
    config: Config = None,
    host: Host = None,
    port: Port = None,
    insecure_local: InsecureLocal = False,
    database_url: Database = None,
    workers: Workers = None,
    last_good: LastGood = None,
    drain_seconds: DrainSeconds = None,
    exposures: Exposures = None,
    exposures_dir: ExposuresDir = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> Settings:
    """The settings: a flag wins over the environment, that over the file, that over the default."""
    try:
        with without_collecting():
            from allotment.server import settings  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"a server needs {error.name}: pip install 'allotment[server]'"
        ) from error
    if config is not None:
        os.environ["ALLOTMENT_CONFIG"] = str(config)  # the server's workers look there, too
    return settings.Settings(
        host=host,
        port=port,
        insecure_local=insecure_local or None,
        database_url=database_url,
        workers=workers,
        last_good=last_good,
        drain_seconds=drain_seconds,
        exposures=exposures,
        exposures_dir=exposures_dir,
        log_level=log_level,
        log_format=log_format,
    )


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
    with without_collecting():
        from allotment.server.process.serve import serve  # noqa: PLC0415  # see settings_of

    if example is not None:
        _show(existing(example), settings)
    raise typer.Exit(serve(settings))


def _show(example: Path, settings: Settings) -> None:
    from allotment.cli.example import begin_with, lines_to_try  # noqa: PLC0415
    from allotment.store import Store  # noqa: PLC0415  # as the server is, see `run`

    with Store.open(settings.database_url) as store:
        catalog = begin_with(example, store)
    if not settings.port:
        return  # it is not known yet where the lines would lead
    host = _EVERYWHERE.get(settings.host, settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    for line in lines_to_try(catalog, url, with_token=not settings.insecure_local):
        results.out(line, highlight=False)
    if settings.console:
        results.out(f"# for a browser: {url}{settings.console_path}", highlight=False)
    results.file.flush()
