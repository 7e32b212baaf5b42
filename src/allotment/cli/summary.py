"""What a table's units got: counts with bars, and the sample-ratio check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from allotment.model.assignment import Reason

if TYPE_CHECKING:
    from allotment.frames.assign import Tally
    from allotment.frames.ratio import Ratio

_BAR_CELLS: Final = 30
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def summary_tables(tallies: Mapping[str, Tally], *, plain: bool) -> Iterator[RenderableType]:
    """For each experiment the table of outcomes and, where there is any, the ratio checks.

    What is plain has bars of ASCII.
    """
    for key, tally in tallies.items():
        yield _outcomes(key, tally.counts(), plain=plain)
        ratios = {name: ratio for name, ratio in tally.ratios().items() if ratio.p is not None}
        if ratios:
            yield _ratios(tally.treatments, ratios)


def _outcomes(key: str, counts: Mapping[tuple[str | None, Reason], int], *, plain: bool) -> Table:
    units = sum(counts.values())
    table = _table(f"[bold]{escape(key)}[/], {units:,} units")
    table.add_column("reason")
    table.add_column("treatment")
    table.add_column("units", justify="right")
    table.add_column("share", justify="right")
    table.add_column("", min_width=_BAR_CELLS)
    longest = max(counts.values(), default=1)
    for (treatment, reason), count in counts.items():
        given = "" if treatment is None else escape(treatment)
        share = f"{count / units:.2%}"
        style = "dim" if treatment is None else ""
        drawn = bar(count, longest, plain=plain)
        table.add_row(reason, given, f"{count:,}", share, drawn, style=style)
    return table


def _ratios(treatments: tuple[str, ...], ratios: Mapping[str, Ratio]) -> Table:
    table = _table("sample ratio: units dealt, of those to be expected")
    table.add_column("allocation")
    for treatment in treatments:
        table.add_column(escape(treatment), justify="right")
    table.add_column("p", justify="right")
    table.add_column("")
    for name, ratio in ratios.items():
        units, buckets = sum(ratio.counts), sum(ratio.buckets)
        cells = [
            f"{count:,} of {units * owned / buckets:,.0f}" if owned else ""
            for count, owned in zip(ratio.counts, ratio.buckets, strict=True)
        ]
        verdict = "[red]too far from the weights to be chance[/]" if ratio.alarm else "as expected"
        table.add_row(escape(name), *cells, f"{ratio.p:.3g}", verdict)
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD)


def bar(count: int, longest: int, cells: int = _BAR_CELLS, *, plain: bool = False) -> str:
    """A bar whose length is to `cells` as `count` to `longest`, in eighths of a cell or whole."""
    if plain:
        return "#" * max(round(count * cells / longest) if longest else 0, 1 if count else 0)
    eighths = round(count * cells * 8 / longest) if longest else 0
    whole, rest = divmod(max(eighths, 1 if count else 0), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def plain_summary(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """The same as plain data."""
    return {
        key: {
            "outcomes": [
                {"treatment": treatment, "reason": reason.value, "units": count}
                for (treatment, reason), count in tally.counts().items()
            ],
            "sample_ratio": {
                name: {
                    "units": dict(zip(tally.treatments, ratio.counts, strict=True)),
                    "buckets": dict(zip(tally.treatments, ratio.buckets, strict=True)),
                    "p": ratio.p,
                    "alarm": ratio.alarm,
                }
                for name, ratio in tally.ratios().items()
            },
        }
        for key, tally in tallies.items()
    }
