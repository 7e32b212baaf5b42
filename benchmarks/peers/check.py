"""Whether a peer dealt what it was asked to: nobody is faster by doing less."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

# Chance alone goes beyond this many standard deviations once in three million times.
_SIGMAS = 5.0

Counted = tuple[str, str, str, int]  # experiment, country, treatment or "", units


def faults(
    counts: Iterable[Counted],
    experiments: Mapping[str, Sequence[str]],
    shares: Mapping[str, int],
) -> Iterator[str]:
    """What is wrong with how many units of a country got which treatment of an experiment."""
    by: dict[tuple[str, bool], Counter[str]] = defaultdict(Counter)
    for experiment, country, treatment, units in counts:
        by[experiment, country in experiments[experiment]][treatment] += units
    if not by:
        yield "it answered nothing"
    for (experiment, is_asked), got in by.items():
        total = got.total()
        expected = shares if is_asked else {"": 10_000}
        for treatment in sorted({*got, *expected}):
            share = expected.get(treatment, 0) / 10_000
            spread = _SIGMAS * math.sqrt(total * share * (1 - share))
            if abs(got[treatment] - total * share) > spread:
                who = "units of its countries" if is_asked else "units of other countries"
                yield (
                    f"{experiment} gave {treatment or 'nothing'!r} to {got[treatment]:,} of "
                    f"{total:,} {who}, not to {share:.0%}"
                )
