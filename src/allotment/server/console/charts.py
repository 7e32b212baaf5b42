"""Pictures as SVG, made by pure functions. Sizes are attributes and colours are classes, as no
style may stand in a page; each part has a title, and each picture says in words what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_WIDTH: Final = 1000
_COLOURS: Final = 8


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a line of so many parts, from `start` to `stop`.

    `colour` counts from 0; None is nothing's: a gap, or what is free. `said` is its title.
    """

    start: float
    stop: float
    colour: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a line: where a draw fell, or where a bound is."""

    at: float
    said: str
    is_bound: bool = False


def colour_class(colour: int | None) -> str:
    """The class of a colour, which the style sheet knows."""
    return "none" if colour is None else f"c{colour % _COLOURS}"


def line(
    stretches: Iterable[Stretch],
    whole: float,
    said: str,
    marks: Sequence[Mark] = (),
    height: int = 18,
) -> Markup:
    """A bar that is `whole` long, cut into stretches; `said` is what it shows, in words."""
    body = [_rectangle(each, whole, height) for each in stretches]
    body += [_mark(each, whole, height) for each in marks]
    return _drawing(body, said, height)


def _rectangle(part: Stretch, whole: float, height: int) -> Markup:
    left, right = (_WIDTH * edge / whole if whole else 0.0 for edge in (part.start, part.stop))
    return Markup(
        '<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="{}"><title>{}</title></rect>'
    ).format(colour_class(part.colour), left, max(right - left, 0.0), height, part.said)


def _mark(mark: Mark, whole: float, height: int) -> Markup:
    at = _WIDTH * mark.at / whole if whole else 0.0
    kind, wide = ("bound", 2) if mark.is_bound else ("mark", 6)
    return Markup(
        '<rect class="{}" x="{:.2f}" y="0" width="{}" height="{}"><title>{}</title></rect>'
    ).format(kind, min(max(at - wide / 2, 0), _WIDTH - wide), wide, height, mark.said)


def _drawing(body: Iterable[Markup], said: str, height: int) -> Markup:
    inside = Markup("").join(body)
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" width="100%" height="{}"'
        ' preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(_WIDTH, height, height, said, inside)


def swatch(colour: int | None) -> Markup:
    """A small square of a colour, for a legend; it says nothing to a screen reader."""
    return Markup(
        '<svg class="swatch" width="12" height="12" aria-hidden="true">'
        '<rect class="{}" width="12" height="12"/></svg>'
    ).format(colour_class(colour))


def listed(words: Iterable[str], most: int = 12) -> str:
    """The first of some words, and how many more there are: for what a picture says in words."""
    known = list(words)
    more = len(known) - most
    shown = ", ".join(known[:most])
    return shown if more <= 0 else f"{shown} and {more:,} more"
