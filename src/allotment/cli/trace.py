"""An explanation drawn as a table."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from allotment.engine import Check, Explanation


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
    """The explanation as plain data; draws are hexadecimal, for JSON numbers hold only 53 bits."""
    answer = explanation.assignment
    return {
        "experiment": answer.experiment,
        "treatment": answer.treatment,
        "reason": answer.reason.value,
        "variations": dict(answer.variations),
        "is_control": answer.is_control,
        "iteration": answer.iteration,
        "revision": answer.revision,
        "checks": [
            {
                "name": check.name,
                "applies": check.applies,
                "draw": None if check.draw is None else f"{check.draw:016x}",
                "bucket": check.bucket,
                "bound": check.bound,
                "outcome": check.outcome,
                "decided": check.decided,
            }
            for check in explanation.checks
        ],
    }
