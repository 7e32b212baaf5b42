"""Outcomes and explanations as people look at them: text for a terminal, HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from allotment.model.assignment import Reason

Counts = Mapping[tuple[str | None, Reason], int]


def text(counts: Counts) -> str:
    """A line an outcome: treatment, reason, units, share; a last line of all units."""
    rows = [("treatment", "reason", "units", "share"), *_rows(counts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{treatment:{widths[0]}}  {reason:{widths[1]}}  {units:>{widths[2]}}  {share:>{widths[3]}}"
        for treatment, reason, units, share in rows
    )


def html(counts: Counts, title: str = "") -> str:
    """The lines of `text` as a table, each with a bar whose length is its share."""
    longest = max(counts.values(), default=1)
    bars = [bar(count / longest) for count in counts.values()]
    rows = [
        (*map(escape, row), drawn) for row, drawn in zip(_rows(counts), [*bars, ""], strict=True)
    ]
    return table(("treatment", "reason", "units", "share", ""), rows, title)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> str:
    """A table of cells that are HTML already; the title and the heads are text."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def bar(share: float) -> str:
    """A bar of at most 12 em."""
    style = f"width:{12 * share:.2f}em;height:0.8em;background:#4c78a8"
    return f'<div style="{style}"></div>'


def _rows(counts: Counts) -> list[tuple[str, str, str, str]]:
    units = sum(counts.values())
    return [
        *(
            (treatment or "", reason.value, f"{count:,}", f"{count / units:.2%}")
            for (treatment, reason), count in counts.items()
        ),
        ("", "", f"{units:,}", ""),
    ]
