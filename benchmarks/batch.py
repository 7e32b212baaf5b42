"""A million units at a time: the table. `python -m benchmarks.batch` measures Arrow text alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import numpy as np
import pyarrow as pa

import allotment
from allotment.kernel.cpu import paths_here
from benchmarks.catalogs import COUNTRIES, catalog
from benchmarks.harness import Figure, Work, speedup

N = 1_000_000
_random = Random(7)
IDS = [str(uuid.UUID(int=_random.getrandbits(128), version=4)) for _ in range(N)]
COUNTRY = [COUNTRIES[_random.randrange(len(COUNTRIES))] for _ in range(N)]
SHUFFLED = _random.sample(IDS, N)  # the same texts; where they lie is in no order
ARROW_IDS = pa.array(IDS)
ARROW_COUNTRY = {"country": pa.array(COUNTRY)}
CODED_COUNTRY = {"country": pa.array(COUNTRY).dictionary_encode()}
INTEGERS = np.arange(10_000_000, 10_000_000 + N, dtype=np.int64)


def batch_of_text_list() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, list[str] of 1e6 UUIDs, one experiment with a segment",
        0.115,
        lambda: engine.assign_many("exp_0", IDS, ARROW_COUNTRY),
        N,
        rounds=9,
    )


def batch_of_shuffled_list() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, the same list in shuffled memory order",
        0.23,  # half as fast
        lambda: engine.assign_many("exp_0", SHUFFLED, ARROW_COUNTRY),
        N,
        rounds=9,
    )


def batch_of_arrow_text() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, Arrow utf8",
        0.085,
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY),
        N,
        rounds=9,
    )


def batch_of_arrow_text_coded() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, Arrow utf8, the country dictionary-encoded",
        0.08,
        lambda: engine.assign_many("exp_0", ARROW_IDS, CODED_COUNTRY),
        N,
        rounds=9,
    )


def batch_by_path(path: str, bound: float) -> Callable[[], Figure]:
    """Arrow text in a process that is told what registers to work with."""

    def batch_of_arrow_text_by_path() -> Figure:
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.batch"],
            env={**os.environ, "ALLOTMENT_CPU": path},
            capture_output=True,
            text=True,
            check=True,
        )
        quartiles: list[float] = json.loads(child.stdout)
        return Figure(f"batch, Arrow utf8, ALLOTMENT_CPU={path}", "x ref", bound, *quartiles)

    return batch_of_arrow_text_by_path


def batch_further_experiment() -> Figure:
    """The cost of ten more experiments over the same units, an experiment."""
    engine = allotment.load(catalog(11, segments=11))
    keys = list(engine.catalog.experiments)
    one, all_ = (
        Work("", 1, partial(engine.assign_table, ARROW_IDS, asked, ARROW_COUNTRY), N, 5).figure()
        for asked in (keys[:1], keys)
    )
    each = [
        (a - b) / 10
        for a, b in zip(
            (all_.low, all_.median, all_.high), (one.low, one.median, one.high), strict=True
        )
    ]
    return Figure("batch, each further experiment over the same units", "x ref", 0.016, *each)


def batch_of_integers() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, int64 ids (hashed as their decimal text)",
        0.085,
        lambda: engine.assign_many("exp_0", INTEGERS, ARROW_COUNTRY),
        N,
        rounds=9,
    )


def batch_on_two_threads() -> Figure:
    engine = allotment.load(catalog(1))
    return speedup(
        "two threads on 1e6 Arrow units, wall",
        1.8,
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY),
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY, threads=2),
    )


def batch_on_two_threads_beside_the_machine() -> Figure:
    """Beside two threads that each have half of the rows to themselves: what the machine gives."""
    engine = allotment.load(catalog(1))
    half = N // 2
    parts = [
        (ARROW_IDS[at : at + half], {"country": ARROW_COUNTRY["country"][at : at + half]})
        for at in (0, half)
    ]
    pool = ThreadPoolExecutor(1)

    def halves() -> None:
        other = pool.submit(engine.assign_many, "exp_0", *parts[1])
        engine.assign_many("exp_0", *parts[0])
        other.result()

    return speedup(
        "two threads on 1e6 Arrow units, beside two with a half each, wall",
        0.95,
        halves,
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY, threads=2),
    )


BY_PATH = {"plain": 0.2, "avx2": 0.16}

ROWS = [
    batch_of_text_list,
    batch_of_shuffled_list,
    batch_of_arrow_text,
    batch_of_arrow_text_coded,
    *(batch_by_path(path, BY_PATH[path]) for path in paths_here()[:-1]),
    batch_further_experiment,
    batch_of_integers,
    batch_on_two_threads,
    batch_on_two_threads_beside_the_machine,
]


if __name__ == "__main__":
    alone = batch_of_arrow_text().figure()
    print(json.dumps([alone.low, alone.median, alone.high]))
