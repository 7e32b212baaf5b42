"""The figures of a run as a table of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.http.rows import REFERENCE, Row
from benchmarks.load.wrk import Run
from benchmarks.page import figure


@dataclass
class Measured:
    """The runs of a row, a turn each: microseconds of CPU a request, and what wrk said.

    `fault` says why there is none; `is_absent` that a program is not installed here.
    """

    row: Row
    cpu: list[float] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    fault: str = ""
    is_absent: bool = False

    def middle(self, what: str) -> float:
        """The median of one figure of the runs."""
        figures: list[float] = [getattr(run, what) for run in self.runs]
        return statistics.median(figures)


def cost(one: Measured, reference: Measured) -> float:
    """CPU time a request over the reference's: the median of what each turn says."""
    return _ratio(one.cpu, reference.cpu)


def beside(one: Measured, measured: Sequence[Measured]) -> Measured:
    """What the ratios of a row are to: a raw application that is asked the same."""
    of = REFERENCE if one.row.question.per == 1 else one.row.beside or one.row
    return next(each for each in measured if each.row is of)


def table(measured: Sequence[Measured], versions: Mapping[str, str]) -> str:
    """One row a question; a word that is needed to read it stands below."""
    words: list[str] = []
    lines = [
        "| | CPU, µs a request | x raw ASGI | requests a second | x raw ASGI | p50, µs | p99, µs |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in measured:
        said, comma, what = one.row.name.partition(",")
        name = f"{said} {versions.get(one.row.server, '')}".strip() + comma + what
        word = one.fault or one.row.word
        if word:
            if word not in words:
                words.append(word)
            name += f" <sup>{words.index(word) + 1}</sup>"
        lines.append(f"| {name} | {' | '.join(_cells(one, beside(one, measured)))} |")
    lines += ["", *(f"{number}. {word}" for number, word in enumerate(words, 1))]
    return "\n".join(lines).rstrip() + "\n"


def _cells(one: Measured, reference: Measured) -> list[str]:
    if one.fault:
        return ["-"] * 6
    rates = [[run.rate for run in each.runs] for each in (one, reference)]
    return [
        f"{statistics.median(one.cpu):,.1f}",
        figure(cost(one, reference)),
        f"{one.middle('rate'):,.0f}",
        figure(_ratio(*rates)),
        f"{one.middle('p50'):,.0f}",
        f"{one.middle('p99'):,.0f}",
    ]


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
