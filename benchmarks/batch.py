"""A million units at a time: the table."""

from __future__ import annotations

import uuid
from functools import partial
from random import Random

import numpy as np
import pyarrow as pa

import allotment
from benchmarks.catalogs import COUNTRIES, catalog
from benchmarks.harness import Figure, Work, speedup

N = 1_000_000
_random = Random(7)
IDS = [str(uuid.UUID(int=_random.getrandbits(128), version=4)) for _ in range(N)]
COUNTRY = [COUNTRIES[_random.randrange(len(COUNTRIES))] for _ in range(N)]
ARROW_IDS = pa.array(IDS)
ARROW_COUNTRY = {"country": pa.array(COUNTRY)}
INTEGERS = np.arange(10_000_000, 10_000_000 + N, dtype=np.int64)


def batch_of_text_list() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, list[str] of 1e6 UUIDs, one experiment with a segment",
        0.16,
        lambda: engine.assign_many("exp_0", IDS, ARROW_COUNTRY),
        N,
        rounds=9,
    )


def batch_of_arrow_text() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, Arrow utf8",
        0.11,
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY),
        N,
        rounds=9,
    )


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
    return Figure("batch, each further experiment over the same units", "x ref", 0.03, *each)


def batch_of_integers() -> Work:
    engine = allotment.load(catalog(1))
    return Work(
        "batch, int64 ids (hashed as their decimal text)",
        0.15,
        lambda: engine.assign_many("exp_0", INTEGERS, ARROW_COUNTRY),
        N,
        rounds=9,
    )


def batch_on_two_threads() -> Figure:
    engine = allotment.load(catalog(1))
    return speedup(
        "two threads on 1e6 Arrow units, wall",
        1.7,
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY),
        lambda: engine.assign_many("exp_0", ARROW_IDS, ARROW_COUNTRY, threads=2),
    )


ROWS = [
    batch_of_text_list,
    batch_of_arrow_text,
    batch_further_experiment,
    batch_of_integers,
    batch_on_two_threads,
]
