"""Values that are chosen to be taken for others, or to cost more than others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from allotment.kernel.batch import assign_columns
from kernel.batching import ALLOCATED, NOT_IN_AUDIENCE, SWEDES, batched, plan_of, segment_where
from timing import cpu_seconds

SWEDISH = plan_of(segments=(SWEDES,), audience=0)
CHOSEN = 80_000

# The constant by which integers were once hashed, and its inverse modulo 2^64.
MULTIPLIER = 0x9E3779B97F4A7C15
INVERSE = pow(MULTIPLIER, -1, 2**64)


@pytest.mark.parametrize("size", [2**8 + 2, 2**16 + 2, 2**24 + 2])
@pytest.mark.parametrize("form", [list, pa.array], ids=["list", "arrow"])
def test_a_text_is_not_taken_for_a_shorter_one(
    size: int, form: Callable[[list[str]], object]
) -> None:
    # These digits once put the longest of these texts into the very place of "SE".
    crafted = "SE" + "\0" * (size - 10) + "00001469"
    countries = [crafted, *["SE"] * 2_000, "NO"]
    units = [f"u{i}" for i in range(len(countries))]
    for column in (countries, countries[::-1]):
        outcomes = batched(SWEDISH, units, {"country": form(column)})
        reasons = [reason for reason, _ in outcomes]
        assert reasons == [ALLOCATED if name == "SE" else NOT_IN_AUDIENCE for name in column]


def seconds_for(numbers: np.ndarray) -> float:
    """The CPU time that a batch over the numbers takes."""
    plan = plan_of(segments=(segment_where(("n",), lambda value: value == 1),), audience=0)
    units = np.arange(len(numbers))
    return cpu_seconds(lambda: assign_columns([plan], units, {"n": numbers}))


def test_chosen_integers_cost_as_much_as_any() -> None:
    i = np.arange(CHOSEN, dtype=np.uint64)
    products = i << np.uint64(52) | i >> np.uint64(12)
    chosen = (products * np.uint64(INVERSE)) ^ np.uint64(0x802)
    assert len(np.unique(chosen)) == CHOSEN
    usual = i * np.uint64(MULTIPLIER)
    assert seconds_for(chosen.view(np.int64)) < 10 * seconds_for(usual.view(np.int64))
