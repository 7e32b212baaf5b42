"""`python -m kernel.deciding` says its path, and a hash of what columns of every form get."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from allotment.kernel.batch import assign_columns
from allotment.kernel.cpu import path_taken
from allotment.kernel.digest import draw
from kernel.batching import SWEDES, plan_of, segment_where

ROWS = 3_001
LONG = segment_where(("country",), lambda value: isinstance(value, str) and len(value) > 8)
PLANS = [
    plan_of(),
    plan_of(segments=(SWEDES,), audience=0),
    plan_of(segments=(LONG,), audience=0, enrolment=("e/enrolment", 300_000)),
    plan_of(segments=(SWEDES, LONG), allocations=[(0, [(0, 500_000, 0)]), (1, [(0, 900_000, 1)])]),
]


def _texts(seed: int, alike: bool) -> list[str | None]:
    """Texts of one size, or of all sizes and kinds there are."""
    numbers = [draw(f"{seed}", f"{row}") for row in range(ROWS)]
    if alike:
        return [f"{number:020d}-{number:016x}"[: 5 + seed] for number in numbers]
    kinds = ["", None, "ü" * 40, "\U0001f600", "x" * 1_024, "x" * 1_025]
    return [
        kinds[number % 6] if number % 7 == 0 else f"{number:x}" * (1 + number % 5)
        for number in numbers
    ]


def _columns() -> list[object]:
    numbers = [draw("numbers", f"{row}") >> (row % 64) for row in range(ROWS)]
    texts = [_texts(seed, alike=True) for seed in range(30)] + [_texts(0, alike=False)]
    return [
        *texts,
        *(pa.array(column) for column in texts),
        pa.array(texts[-1]).dictionary_encode(),
        np.array(numbers, dtype=np.uint64),
        np.array([number >> 1 for number in numbers], dtype=np.int64) * -1,
        pa.array([None if number % 5 == 0 else number >> 32 for number in numbers], pa.uint32()),
    ]


def _countries() -> list[object]:
    few = [["SE", "NO", "DE", "FR"][draw("country", f"{row}") % 4] for row in range(ROWS)]
    many = [f"{draw('country', f'{row}') % 700}" for row in range(ROWS)]
    mixed = [None if row % 11 == 0 else word * (1 + row % 9) for row, word in enumerate(few)]
    return [
        *(pa.array(column) for column in (few, many, mixed)),
        pa.array(few).dictionary_encode(),
        mixed,
    ]


def main() -> None:
    seen = hashlib.sha256()
    countries = _countries()
    for place, units in enumerate(_columns()):
        attributes = {"country": countries[place % len(countries)]}
        for codes, reasons in assign_columns(PLANS, units, attributes):
            seen.update(codes.tobytes() + reasons.tobytes())
    print(path_taken(), seen.hexdigest())


if __name__ == "__main__":
    main()
