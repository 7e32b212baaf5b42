"""Runs in a peer's environment, with the standard library alone: loads its script and times it.

Each round times the reference, the work, and the reference again; the work in CPU time of all
threads.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

ROUNDS = 5
# A round of the reference; a round of the work takes about as many seconds as WORK says.
REFERENCE_CALLS = 20_000
WORK = 0.06


def load(name: str, path: str) -> ModuleType:
    """A module by its path: the folder of the scripts is on no search path, as they are called like
    the packages that they import."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resident() -> int:
    """Bytes of memory that are in use."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) * 1024


class Clock:
    """Times work beside `mmh3.hash("exp_0:" + unit, 0, False) % 10000` in a loop."""

    def __init__(self, mmh3: str, units: list[str]) -> None:
        self._hash = load("mmh3", mmh3).hash
        self._units = (units * (REFERENCE_CALLS // len(units) + 1))[:REFERENCE_CALLS]
        self.taken: list[float] = []

    def reference(self) -> float:
        """Nanoseconds a call, of this thread alone: a peer's own threads are not counted here."""
        hash_ = self._hash
        begin = time.thread_time_ns()
        for unit in self._units:
            hash_("exp_0:" + unit, 0, False) % 10000  # the work is the point
        self.taken.append((time.thread_time_ns() - begin) / len(self._units))
        return self.taken[-1]

    def ratios(self, run: Any, per: int) -> list[float]:
        """What `run` costs, of which each does `per` units of work, as ratios."""
        found = []
        gc.collect()
        gc.disable()
        try:
            for _ in range(ROUNDS):
                before = self.reference()
                begin = time.process_time_ns()
                run()
                cost = (time.process_time_ns() - begin) / per
                found.append(cost / ((before + self.reference()) / 2))
        finally:
            gc.enable()
        return found


def repeated(ask: Any, visitors: list[tuple[str, list[str]]]) -> tuple[Any, int]:
    """Asks for so many units that it takes some time, and how many these are."""
    begin = time.process_time()
    for country, units in visitors:
        ask(country, units[:2])
    once = (time.process_time() - begin) / (2 * len(visitors))
    each = min(max(int(WORK / once / len(visitors)), 1), 2_000)
    asked = [(country, (units * (each // len(units) + 1))[:each]) for country, units in visitors]

    def run() -> None:
        for country, units in asked:
            ask(country, units)

    return run, each * len(asked)


def one(answer: Any) -> list[Any]:
    return [answer]


def counted(
    ask: Any, row: Any, visitors: list[tuple[str, list[str]]], names: list[str]
) -> list[list[Any]]:
    """How many units of a country got which treatment of which experiment."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for country, units in visitors:
        answers = ask(country, units)
        assert len(answers) == len(units), "each unit has an answer"
        for answer in answers:
            for name, treatment in zip(names, row(answer), strict=True):
                counts[name, country, treatment or ""] += 1
    return [[*key, count] for key, count in counts.items()]


def main() -> None:
    asked = json.load(sys.stdin)
    clock = Clock(asked["mmh3"], asked["units"])
    before = resident()
    given = load(f"peer_{asked['peer']}", asked["script"]).prepare(
        asked["experiments"], asked["shares"]
    )
    visitors, many, names = asked["visitors"], asked["many"], list(asked["experiments"])
    told: dict[str, Any] = {}
    if "all" in given:
        few = [(country, units[:100]) for country, units in many]
        told["all"] = {"counts": counted(given["all"], given.get("row", list), few, names)}
    if "single" in given:
        told["single"] = {"counts": counted(given["single"], one, many, names[:1])}
    memory = resident() - before
    for word, row in told.items():
        run, per = repeated(given[word], visitors)
        row["ratios"] = clock.ratios(run, per)
    if "batch" in given:
        told["batch"] = batch(given, clock, asked)
    told = {"rows": told, "memory": memory, "reference": statistics.median(clock.taken)}
    json.dump(told, sys.stdout)
    sys.stdout.flush()
    if "close" in given:
        given["close"]()


def batch(given: dict[str, Any], clock: Clock, asked: dict[str, Any]) -> dict[str, Any]:
    table = given.get("table", lambda units, countries: (units, countries))

    def ask(visitors: list[tuple[str, list[str]]]) -> Any:
        units = [unit for _, units in visitors for unit in units]
        countries = [country for country, units in visitors for _ in units]
        return units, countries, table(units, countries)

    _, countries, made = ask(asked["many"])
    answers = given.get("listed", list)(given["batch"](made))
    counts = Counter(zip(countries, answers, strict=True))
    shown = [["exp_0", country, answer or "", count] for (country, answer), count in counts.items()]
    large = ask([(country, units * 14) for country, units in asked["many"]])
    return {
        "counts": shown,
        "ratios": clock.ratios(lambda: given["batch"](large[2]), len(large[0])),
    }


if __name__ == "__main__":
    main()
