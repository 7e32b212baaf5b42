"""`allotment explain EXPERIMENT UNIT`: why a unit gets what it gets, check by check."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.console import is_plain, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, FromFile, catalog_of
from allotment.load import load

NAME = "explain"

Experiment = Annotated[str, typer.Argument(help="The experiment's key.")]
Unit = Annotated[str, typer.Argument(help="The unit's key.")]
Attributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        metavar="NAME=VALUE",
        help="What is known of the unit: country=SE, age=31, beta=true; a value is JSON where it "
        "can be, else text. A dot leads into a nested one: address.country=SE.",
    ),
]
Document = Annotated[
    str | None, typer.Option("--attributes", metavar="JSON", help="All attributes as one object.")
]


def run(  # noqa: PLR0913  # each is an option
    experiment: Experiment,
    unit: Unit,
    *,
    attribute: Attributes = None,
    attributes: Document = None,
    catalog: FromFile = None,
    home: Home,
    as_json: AsJson = False,
) -> None:
    """Show every check, its draw, bucket and bound, and which of them decided."""
    known = attributes_of(attributes, attribute or [])
    explanation = load(catalog_of(catalog, home)).explain(experiment, unit, known)
    if as_json:
        print_json(plain_trace(explanation))
    else:
        results.print(trace_table(explanation, unit, mark="<" if is_plain(results) else "◀"))
