"""The options that several commands share, and how they become the arguments of a command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from allotment.cli.console import manner
from allotment.cli.home import Home
from allotment.errors import InvalidInput, NotFound, did_you_mean
from allotment.load import load
from allotment.model.catalog import EMPTY, Catalog

DEFAULT_STORE: Final = "allotment.db"

_SPACE: Final = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")

CatalogFile = Annotated[Path, typer.Argument(metavar="FILE", help="A catalog file (YAML or JSON).")]
FromFile = Annotated[
    Path | None, typer.Option("--catalog", help="Answer from this catalog file, not from a store.")
]
UnitColumns = Annotated[
    list[str],
    typer.Option(
        "--unit-column",
        metavar="[KIND=]COLUMN",
        help="The column that holds the units, or user.id for a field of a nested one; once a kind "
        "where there are several.",
    ),
]


def _ask_for_json(context: typer.Context, value: bool) -> bool:
    manner(context).as_json = value
    return value


AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        callback=_ask_for_json,
        help="Print machine-readable JSON, errors too: an object under the key error.",
    ),
]


def catalog_of(file: Path | None, home: Home) -> Catalog:
    """The catalog a command answers from: that of the file if one is given, else the home's."""
    return home.catalog() if file is None else load(existing(file)).catalog


def check_experiments(keys: Iterable[str], catalog: Catalog) -> None:
    """Raise NotFound for the first experiment that the catalog does not have."""
    for key in keys:
        if key not in catalog.experiments:
            advice = did_you_mean(key, catalog.experiments)
            raise NotFound(f"there is no experiment {key!r} in the catalog{advice}")


def base_of(home: Home) -> Catalog:
    """The catalog that is to be changed; the empty one where there is nothing yet."""
    return EMPTY if home.is_new else home.catalog()


def existing(file: Path) -> Path:
    """`file` if it can be read as one; raises InvalidInput where it cannot."""
    if not file.is_file():
        raise InvalidInput(f"there is no file {file}")
    return file


def unit_columns(given: Sequence[str]) -> Mapping[str | None, str]:
    """Kind to column, where None stands for the only kind."""
    columns: dict[str | None, str] = {}
    for each in given:
        kind, equals, column = each.rpartition("=")
        key = kind if equals else None
        if key in columns:
            raise typer.BadParameter("--unit-column is given twice for the same kind of unit")
        columns[key] = column
    return columns


def check_kinds(columns: Mapping[str | None, str], *catalogs: Catalog) -> None:
    """Raise InvalidInput for a kind that no experiment of these catalogs randomises."""
    kinds = {experiment.unit for catalog in catalogs for experiment in catalog.experiments.values()}
    for kind in columns:
        if kind is not None and kind not in kinds:
            known = ", ".join(sorted(kinds)) or "none"
            raise InvalidInput(f"no unit is of the kind {kind!r}: there are the kinds {known}")


StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="PATH|URL",
        envvar=["ALLOTMENT_STORE", "ALLOTMENT_DATABASE_URL"],
        help="The store: an SQLite file, or a database's URL.",
    ),
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="ALLOTMENT_SERVER",
        help="A running server, in place of a store.",
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="ALLOTMENT_TOKEN",
        help="The token for the server; better in the environment, where others do not see it.",
    ),
]
SpaceOption = Annotated[
    str | None,
    typer.Option(
        "--space",
        metavar="PROJECT/ENVIRONMENT",
        envvar="ALLOTMENT_SPACE",
        help="The space; else the token's own, else default/production.",
    ),
]


def home_of_all_spaces(
    *,
    context: typer.Context,
    store: StoreOption = DEFAULT_STORE,
    server: ServerOption = None,
    token: TokenOption = None,
) -> Home:
    """The home that the options name, for what concerns all of its spaces."""
    return home_of(context=context, store=store, server=server, token=token)


def home_of(
    *,
    context: typer.Context,
    store: StoreOption = DEFAULT_STORE,
    server: ServerOption = None,
    token: TokenOption = None,
    space: SpaceOption = None,
) -> Home:
    """The home that the options name; it is closed when the command is done.

    What is typed wins over the environment. Nothing is opened before it is asked for something.
    """
    given = {name: _given(context, name) for name in ("store", "server", "token")}
    if space is not None and not _SPACE.fullmatch(space):
        raise typer.BadParameter(f"a space is written PROJECT/ENVIRONMENT, not {space!r}")
    if given["store"] == given["server"] != "DEFAULT":
        raise typer.BadParameter(
            "a store and a server are both given; which of them is meant? (--store or --server, "
            "and ALLOTMENT_STORE, ALLOTMENT_DATABASE_URL or ALLOTMENT_SERVER in the environment)"
        )
    home: Home
    if server is None or given["store"] == "COMMANDLINE":
        if given["token"] == "COMMANDLINE":
            raise typer.BadParameter("--token is for a --server; a store asks for none")
        from allotment.cli.local import Local  # noqa: PLC0415  # only one of the two is needed

        home = Local(store, space)
    else:
        from allotment.cli.remote import Remote  # noqa: PLC0415

        home = Remote(server, token, space)
    context.call_on_close(home.close)
    return home


def _given(context: typer.Context, name: str) -> str:
    """How an option got its value: "COMMANDLINE", "ENVIRONMENT" or "DEFAULT"."""
    how: Any = context.get_parameter_source(name)
    return "DEFAULT" if how is None else str(how.name)


def with_builders(run: Callable[..., None], **builders: Callable[..., Any]) -> Callable[..., None]:
    """`run` with the options of each builder in place of the argument that it builds.

    `with_builders(run, home=home_of)` takes `run`'s options and those of `home_of`, and calls
    `run(..., home=home_of(...))`. An option that two of them have is one option.
    """
    options: dict[str, Parameter] = {}
    wanted: dict[str, list[str]] = {}
    for parameter in _parameters(run):
        builder = builders.get(parameter.name)
        if builder is None:
            options[parameter.name] = parameter
            continue
        shared = _parameters(builder)
        wanted[parameter.name] = [one.name for one in shared]
        options |= {one.name: one for one in shared}
    own = [parameter.name for parameter in _parameters(run) if parameter.name not in builders]

    def command(**given: Any) -> None:
        built = {
            name: builders[name](**{option: given[option] for option in wanted[name]})
            for name in wanted
        }
        run(**{name: given[name] for name in own}, **built)

    # The command line is made from these.
    ordered = sorted(options.values(), key=lambda one: one.kind)
    command.__signature__ = Signature(ordered)  # type: ignore[attr-defined]
    command.__annotations__ = {name: one.annotation for name, one in options.items()}
    command.__doc__ = run.__doc__
    return command


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())
