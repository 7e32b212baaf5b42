"""`allotment list [KIND]`: what the catalog holds, one line a noun."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from allotment.change.kinds import nouns_of
from allotment.cli.console import print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, FromFile, catalog_of
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.layer import Holdout, Layer
from allotment.model.number import show_percent
from allotment.model.slots import size

NAME = "list"


class Section(StrEnum):
    """A part of the catalog, as its file calls it."""

    EXPERIMENTS = "experiments"
    FLAGS = "flags"
    SEGMENTS = "segments"
    LAYERS = "layers"
    HOLDOUTS = "holdouts"


What = Annotated[Section, typer.Argument(help="What to list.")]

_HEADS: Final = {
    Section.EXPERIMENTS: ("key", "state", "iteration", "unit", "layer", "holdout", "treatments"),
    Section.FLAGS: ("key", "state", "default", "variations", "experiments"),
    Section.SEGMENTS: ("key", "rules", "included", "excluded", "sample"),
    Section.LAYERS: ("key", "unit", "reserved", "experiments"),
    Section.HOLDOUTS: ("key", "unit", "share", "experiments"),
}


def run(
    kind: What = Section.EXPERIMENTS,
    *,
    home: Home,
    catalog: FromFile = None,
    as_json: AsJson = False,
) -> None:
    """List the experiments, or what else the catalog has."""
    rows = list(rows_of(catalog_of(catalog, home), kind))
    if as_json:
        print_json([dict(zip(_HEADS[kind], row, strict=True)) for row in rows])
        return
    table = Table(box=SIMPLE_HEAD)
    for head in _HEADS[kind]:
        table.add_column(head)
    for row in rows:
        table.add_row(*(escape(_text(cell)) for cell in row))
    results.print(table)


def rows_of(catalog: Catalog, kind: Section) -> Iterator[tuple[Any, ...]]:
    """A row a noun, sorted by key; plain values, as `--json` shows them."""
    for key, noun in sorted(nouns_of(catalog, kind.removesuffix("s")).items()):
        match noun:
            case Experiment():
                now = noun.current
                state = "archived" if noun.archived else now.state.value
                treatments = [each.key for each in now.treatments]
                yield key, state, now.number, noun.unit, noun.layer, noun.holdout, treatments
            case Flag():
                variations = [each.key for each in noun.variations]
                listed = [each.experiment for each in noun.experiments]
                yield key, noun.state.value, noun.default, variations, listed
            case Layer():
                reserved = sum(size(each.ranges) for each in noun.reservations)
                members = [each.experiment for each in noun.reservations]
                yield key, noun.unit, show_percent(reserved), members
            case Holdout():
                held = [e.key for e in catalog.experiments.values() if e.holdout == key]
                yield key, noun.unit, show_percent(noun.share_ppm), sorted(held)
            case _:
                share = None if noun.sample is None else show_percent(noun.sample.share_ppm)
                yield key, len(noun.rules), len(noun.include), len(noun.exclude), share


def _text(cell: object) -> str:
    if isinstance(cell, list):
        return ", ".join(cell)
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell)
