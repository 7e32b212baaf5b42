"""The figures of a run as a picture: a panel for each kind of work, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks.page import figure

_WIDTH, _LEFT, _RIGHT = 760, 230, 80
_ROW, _HEAD, _FOOT = 20, 34, 26
_OURS, _OTHERS, _GREY = "#0b7a75", "#9aa5b1", "#52606d"
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2933}"
    ".h{font-weight:600}.g{fill:#52606d}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.g{fill:#9aa5b1}}"
)


Bar = tuple[float, str]  # the figure, and what it is of


def picture(shown: Mapping[str, Sequence[Bar]], title: str) -> str:
    """An SVG image: a panel for each name, and in it a bar for each figure, the shortest first."""
    panels = []
    top = _HEAD
    for name, bars in shown.items():
        if bars:
            panels.append(_panel(name, sorted(bars), top))
            top += _HEAD + _ROW * len(bars) + _FOOT
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>'
    )
    caption = f'<text class="g" x="8" y="20">{escape(title)}</text>'
    return "\n".join([head, caption, *panels, "</svg>", ""])


def _panel(name: str, bars: Sequence[Bar], top: int) -> str:
    low = math.floor(math.log10(bars[0][0]))
    high = max(math.ceil(math.log10(bars[-1][0])), low + 1)
    scale = (_WIDTH - _LEFT - _RIGHT) / (high - low)
    parts = [f'<text class="h" x="8" y="{top + 20}">{escape(name)}</text>']
    base = top + _HEAD
    bottom = base + _ROW * len(bars)
    for power in range(low, high + 1):
        x = _LEFT + (power - low) * scale
        parts.append(f'<path d="M{x:.1f} {base}V{bottom}" stroke="{_GREY}" stroke-opacity=".25"/>')
        shown = figure(10.0**power)
        parts.append(
            f'<text class="g" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{shown}</text>'
        )
    for index, (ratio, peer) in enumerate(bars):
        y = base + index * _ROW
        width = max((math.log10(ratio) - low) * scale, 1)
        colour = _OURS if peer.startswith("Allotment") else _OTHERS
        size = f'width="{width:.1f}" height="{_ROW - 6}"'
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(peer)}</text>',
            f'<rect x="{_LEFT}" y="{y + 3}" {size} fill="{colour}"/>',
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 14}">{figure(ratio)}</text>',
        ]
    return "\n".join(parts)
