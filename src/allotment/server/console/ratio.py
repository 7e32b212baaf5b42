"""One sample-ratio check: observed units of each treatment beside what its buckets promise."""

from __future__ import annotations

from dataclasses import dataclass

from allotment.frames.observed_ratio import ObservedRatio
from allotment.server.console.charts import Stretch
from allotment.server.console.words import share_of


@dataclass(frozen=True, slots=True)
class RatioLine:
    """A treatment: its target share, the units that it should have and has, and how far off."""

    treatment: str
    target: str
    observed: str
    expected: str
    units: int
    off: str
    is_farthest: bool
    colour: int


@dataclass(frozen=True, slots=True)
class RatioView:
    """The check of an allocation; None for several together. Two bars show targets and units."""

    allocation: str | None
    lines: tuple[RatioLine, ...]
    units: int
    verdict: str
    is_off: bool
    p: str
    anytime: str
    several: int
    targets: tuple[Stretch, ...]
    buckets: int
    seen: tuple[Stretch, ...]

    @property
    def said(self) -> str:
        """The observed units in words."""
        return ", ".join(f"{each.treatment} {each.units:,}" for each in self.lines[:12])


def ratio_view(check: ObservedRatio) -> RatioView:
    """What is shown of a check."""
    ratio = check.ratio
    units, buckets = sum(ratio.counts), sum(ratio.buckets)
    farthest = check.farthest[0] if check.is_off else ""
    lines = tuple(
        RatioLine(
            treatment,
            share_of(owned, buckets),
            f"{count / units:.2%}" if units else "",
            _rounded(mean),
            count,
            f"{count / mean - 1:+.2%}" if mean else "",
            treatment == farthest,
            place,
        )
        for place, (treatment, owned, mean, count) in enumerate(
            zip(check.treatments, ratio.buckets, ratio.expected, ratio.counts, strict=True)
        )
    )
    return RatioView(
        check.allocation,
        lines,
        units,
        str(check.verdict),
        check.is_off,
        _p(ratio.p),
        _p(ratio.anytime),
        check.several,
        _stretches(check.treatments, ratio.buckets),
        buckets,
        _stretches(check.treatments, ratio.counts),
    )


def _stretches(treatments: tuple[str, ...], parts: tuple[int, ...]) -> tuple[Stretch, ...]:
    found, edge = [], 0
    for place, (treatment, part) in enumerate(zip(treatments, parts, strict=True)):
        found.append(Stretch(edge, edge + part, place, f"{treatment}: {part:,}"))
        edge += part
    return tuple(found)


def _rounded(units: float) -> str:
    return f"{units:,.1f}" if units < 100 else f"{units:,.0f}"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
