"""`pytest benchmarks --benchmark-only`: the small rows of `make bench`, by pytest-benchmark.

It times the same work in CPU time, without the reference beside it: figures of one machine on one
day. What is claimed is what `make bench` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import batch, profiles, single
from benchmarks.harness import Work

ROWS = [
    row
    for module in (single, batch, profiles)
    for row in module.ROWS
    if row.__annotations__["return"] == "Work"  # the others need a figure beside theirs
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.benchmark(timer=time.thread_time, disable_gc=True)
def test_a_row(benchmark: BenchmarkFixture, row: Callable[[], Work]) -> None:
    work = row()
    benchmark.name = f"{work.name} ({work.per:,} units)"
    benchmark.pedantic(work.run, rounds=work.rounds, warmup_rounds=1)
