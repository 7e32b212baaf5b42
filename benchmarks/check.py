"""`python -m benchmarks.check`: whether `make bench` fell behind what this processor's record says.

It compares the ratios of the last run with the recorded ones of the same family of processors. A
row that fell behind is measured again in four more processes, and the middle one counts.
`python -m benchmarks --record` writes the record.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks import record
from benchmarks.harness import Figure
from benchmarks.machine import family, model

ALLOWED: Final = 0.15


@dataclass(frozen=True)
class Compared:
    """A recorded ratio and the one of now; None where it was not measured."""

    name: str
    then: Figure
    now: Figure | None

    @property
    def behind(self) -> float:
        """The share by which it is worse than recorded; below zero where it is better."""
        if self.now is None:
            return 0.0
        before, after = self.then.median, self.now.median
        return (before / after if self.then.at_least else after / before) - 1

    @property
    def fails(self) -> bool:
        return self.now is None or self.behind > ALLOWED

    def __str__(self) -> str:
        recorded = f"recorded {self.then.median:.3g} {self.then.unit}"
        if self.now is None:
            return f"NO   {self.name}: not measured, {recorded}"
        word = "NO " if self.fails else "yes"
        share = f"{abs(self.behind):.0%} {'behind' if self.behind > 0 else 'better'}"
        return f"{word}  {self.name}: {self.now.median:.3g}, {recorded}, {share}"


def compared(now: Mapping[str, Figure], then: Mapping[str, Figure]) -> Iterator[Compared]:
    """Each recorded ratio; what is in bytes or seconds says more about the machine."""
    for name, figure in then.items():
        if figure.unit.startswith("x "):
            yield Compared(name, figure, now.get(name))


def again(
    now: Mapping[str, Figure],
    then: Mapping[str, Figure],
    measure: Callable[[], Mapping[str, Figure]],
) -> dict[str, Figure]:
    """The figures of now, where those that fell behind are the middle one of more processes."""
    slow = [each.name for each in compared(now, then) if each.now is not None and each.fails]
    if not slow:
        return dict(now)
    runs = [now, *(measure() for _ in range(record.PROCESSES - 1))]
    middle = record.middle(runs)
    return {**now, **{name: middle[name] for name in slow}}


def main() -> int:
    own = family(model())
    then = record.records().get(own)
    if not record.LAST.exists():
        print("there is no run to check: `make bench` makes one", file=sys.stderr)
        return 2
    if then is None:
        print(f"nothing is recorded of {own}: `python -m benchmarks --record`", file=sys.stderr)
        return 2
    last = record.last()
    print(f"now: {last.machine}, {last.day}; recorded: {then.machine}, {then.day}")
    print(f"ratios may be {ALLOWED:.0%} behind")
    figures = again(last.figures, then.figures, record.elsewhere)
    rows = list(compared(figures, then.figures))
    for row in rows:
        print(row)
    for name in [name for name in last.figures if name not in then.figures]:
        print(f"new  {name}: not recorded")
    return 1 if any(row.fails for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
