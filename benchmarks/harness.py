"""Interleaved timing: the path and the reference in turn, thread CPU time, median of ratios.

Machines are shared and noisy: the same loop takes 130 ns or 330 ns a call depending on who else
runs. A ratio to a reference that ran a moment before and after holds to some 10 %.
"""

from __future__ import annotations

import gc
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import mmh3

# 500 distinct UUIDs: the scenario of the reference measurements.
_random = Random(20261121)
UNITS = [str(uuid.UUID(int=_random.getrandbits(128), version=4)) for _ in range(500)]
REFERENCE_CALLS = 20_000


@dataclass(frozen=True)
class Figure:
    """One measured row: the claim, its bound, and the quartiles of what was measured."""

    name: str
    unit: str
    bound: float
    low: float
    median: float
    high: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.median >= self.bound if self.at_least else self.median <= self.bound


def reference() -> float:
    """Nanoseconds of one `mmh3.hash("exp_0:"+u, 0, False) % 10000` in a Python loop."""
    units = UNITS * (REFERENCE_CALLS // len(UNITS))
    hash_ = mmh3.hash
    begin = time.thread_time_ns()
    for u in units:
        hash_("exp_0:" + u, 0, False) % 10000  # the work is the point
    return (time.thread_time_ns() - begin) / len(units)


@dataclass(frozen=True)
class Work:
    """A row before it is measured: `run` does `per` units of work.

    The figure is the cost of a unit over the reference's. `pytest benchmarks` times `run` alone.
    """

    name: str
    bound: float
    run: Callable[[], object]
    per: int
    rounds: int = 15

    def figure(self) -> Figure:
        self.run()
        ratios = []
        gc.disable()
        try:
            for _ in range(self.rounds):
                before = reference()
                begin = time.thread_time_ns()
                self.run()
                cost = (time.thread_time_ns() - begin) / self.per
                ratios.append(cost / ((before + reference()) / 2))
        finally:
            gc.enable()
        return _figure(self.name, "x ref", self.bound, ratios)


def absolute(
    name: str, unit: str, bound: float, run: Callable[[], float], rounds: int = 7
) -> Figure:
    """`run` returns the measured value itself."""
    run()
    return _figure(name, unit, bound, [run() for _ in range(rounds)])


def speedup(
    name: str, bound: float, one: Callable[[], object], many: Callable[[], object], rounds: int = 15
) -> Figure:
    """How many times faster `many` is than `one`, wall clock, interleaved."""
    one()
    many()
    ratios = []
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        one()
        middle = time.perf_counter_ns()
        many()
        ratios.append((middle - begin) / (time.perf_counter_ns() - middle))
    figure = _figure(name, "x faster", bound, ratios)
    return Figure(**{**figure.__dict__, "at_least": True})


def _figure(name: str, unit: str, bound: float, values: list[float]) -> Figure:
    low, median, high = statistics.quantiles(values, n=4)
    return Figure(name, unit, bound, low, median, high)
