"""The figures of a run as a table of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.page import figure
from benchmarks.peers.rows import KINDS, Peer


@dataclass(frozen=True)
class Measured:
    """What a peer's script gave: ratios to the reference by kind, one a process, and the bytes of
    memory.

    `fault` says why there is none: it could not be installed, or it dealt otherwise than asked.
    """

    peer: Peer
    ratios: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0
    reference: float = 0.0
    fault: str = ""

    def cost(self, kind: str) -> float | None:
        """The mean over its processes; None where there are none."""
        return statistics.mean(self.ratios[kind]) if kind in self.ratios else None


def table(measured: Sequence[Measured]) -> str:
    """One row a peer; a figure that needs a word has a number, and the word stands below."""
    words: list[str] = []

    def cell(one: Measured, kind: str) -> str:
        cost = one.cost(kind)
        shown = "-" if cost is None else figure(cost)
        word = one.peer.told.get(kind) or (one.fault if cost is None else "")
        if not word:
            return shown
        if word not in words:
            words.append(word)
        return f"{shown} <sup>{words.index(word) + 1}</sup>"

    lines = [
        f"| | {' | '.join(KINDS.values())} | memory, MB | script |",
        f"|---|{'---:|' * len(KINDS)}---:|---|",
    ]
    for one in measured:
        cells = [cell(one, kind) for kind in KINDS]
        memory = f"{one.memory / 1e6:.1f}" if one.memory else "-"
        script = f"[{one.peer.script}.py](peers/{one.peer.script}.py)"
        version = "".join(f" {each.partition('==')[2]}" for each in one.peer.packages[:1])
        lines.append(f"| {one.peer.name}{version} | {' | '.join(cells)} | {memory} | {script} |")
    lines += ["", *(f"{number}. {word}" for number, word in enumerate(words, 1))]
    return "\n".join(lines).rstrip() + "\n"
