"""`allotment explain EXPERIMENT UNIT`: why a unit gets what it gets, check by check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from allotment.cli.console import is_plain, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, FromFile, catalog_of
from allotment.engine.explanation import Check, Explanation
from allotment.errors import InvalidInput
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


def attributes_of(document: str | None, pairs: Sequence[str]) -> dict[str, object]:
    """The object with every pair set in it; raises InvalidInput for what is malformed.

    A value is JSON where it can be read as JSON, else text: 31 is a number, "31" in double quotes
    and 3.1.0 are text.
    """
    known = _object(document) if document is not None else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"an attribute is given as NAME=VALUE; this is {pair!r}")
        *path, last = name.split(".")
        inner = known
        for part in path:
            deeper = inner.setdefault(part, {})
            if not isinstance(deeper, dict):
                raise InvalidInput(f"the attribute {part!r} is a value and cannot hold {last!r}")
            inner = deeper
        inner[last] = _value(value)
    return known


def _object(document: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(document, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidInput(f"--attributes is not a JSON object: {error}") from error


def _value(text: str) -> object:
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text
    return value


def trace_table(explanation: Explanation, unit: str, mark: str) -> Table:
    """One row a check, the one that decided with `mark`; the answer stands above."""
    answer = explanation.assignment
    given = escape(answer.treatment) if answer.treatment is not None else "no treatment"
    table = Table(
        title=f"{escape(unit)} in {escape(answer.experiment)}: [bold]{given}[/], {answer.reason}",
        title_justify="left",
        title_style="",
        box=SIMPLE_HEAD,
    )
    table.add_column("check")
    table.add_column("draw", justify="right")
    table.add_column("bucket", justify="right")
    table.add_column("held against")
    table.add_column("outcome")
    for check in explanation.checks:
        style = "bold" if check.decided else "" if check.applies else "dim"
        table.add_row(*_cells(check, mark), style=style)
    return table


def _cells(check: Check, mark: str) -> tuple[str, ...]:
    return (
        f"{check.name} {mark}" if check.decided else check.name,
        "" if check.draw is None else f"{check.draw:016x}",
        "" if check.bucket is None else f"{check.bucket:,}",
        escape(check.bound),
        escape(check.outcome),
    )


def plain_trace(explanation: Explanation) -> dict[str, Any]:
    """The explanation as plain data."""
    answer = explanation.assignment
    return {
        "experiment": answer.experiment,
        "treatment": answer.treatment,
        "reason": answer.reason.value,
        "variations": dict(answer.variations),
        "is_control": answer.is_control,
        "iteration": answer.iteration,
        "revision": answer.revision,
        "checks": explanation.plain_checks(),
    }
