"""One unit at a time: the web request."""

from __future__ import annotations

from collections.abc import Callable

import allotment
from benchmarks.catalogs import COUNTRIES, catalog
from benchmarks.harness import UNITS, Work

# The units of one country after another: the loop's own cost, tuples to unpack above all, would
# otherwise be a tenth of what is measured.
ROUNDS = 20
VISITORS = [
    (country, UNITS[place :: len(COUNTRIES)] * ROUNDS) for place, country in enumerate(COUNTRIES)
]
CALLS = len(UNITS) * ROUNDS


def calling(assign: Callable[..., object], experiment: str) -> Callable[[], None]:
    def run() -> None:
        for country, units in VISITORS:
            for unit in units:
                assign(experiment, unit, {"country": country})

    return run


def single_call() -> Work:
    run = calling(allotment.load(catalog(1)).assign, "exp_0")
    return Work("single call, one segment rule, attributes built in the call", 0.9, run, CALLS)


def single_call_with_ramp() -> Work:
    run = calling(allotment.load(catalog(1, enrolment_ppm=200_000)).assign, "exp_0")
    return Work("the same with a 20 % ramp", 0.95, run, CALLS)


def assign_all_of_100() -> Work:
    assign_all = allotment.load(catalog(100, segments=10)).assign_all

    def run() -> None:
        for country, units in VISITORS:
            for unit in units:
                assign_all(unit, {"country": country})

    return Work("assign_all of 100 experiments, 10 segments", 3.0, run, CALLS)


def assign_all_as_json() -> Work:
    ready = allotment.load(catalog(100, segments=10)).assign_all_json

    def run() -> None:
        for country, units in VISITORS:
            for unit in units[::10]:
                ready(unit, {"country": country})

    calls = sum(len(units[::10]) for _, units in VISITORS)
    return Work("the same as JSON, ready to be sent (13 KB)", 18.0, run, calls)


ROWS = [single_call, single_call_with_ramp, assign_all_of_100, assign_all_as_json]
