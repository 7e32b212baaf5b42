"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from allotment.cli.console import manner
from allotment.cli.home import Home
from allotment.errors import InvalidInput
from allotment.load import load
from allotment.model.catalog import EMPTY, Catalog

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
