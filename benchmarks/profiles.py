"""Other platforms' profiles: a batch beside the reference, and one call beside a native one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pyarrow as pa

import allotment
from allotment import Engine
from benchmarks.harness import UNITS, Figure, Work, absolute

COLUMN = pa.array(UNITS * 200)
SALT = "checkout.8f2d91c4"


def engine(profile: str) -> Engine:
    """One experiment of two halves that are dealt by the profile."""
    experiment = {
        "state": "running",
        "profile": profile,
        "salt": SALT,
        "treatments": {"a": {"control": True}, "b": {}},
        "allocations": [{"weights": {"a": 50, "b": 50}}],
    }
    return allotment.load(json.dumps({"allotment": 1, "experiments": {"e": experiment}}))


def batch(profile: str, bound: float) -> Callable[[], Work]:
    def profiles_batch() -> Work:
        assign_many = engine(profile).assign_many
        given = assign_many("e", COLUMN).counts()
        assert len(given) == 2, "both halves get units"
        name = f"batch of text by {profile}"
        return Work(name, bound, lambda: assign_many("e", COLUMN), len(COLUMN))

    return profiles_batch


def profiles_single_call() -> Figure:
    """The dearest hash beside the native one, in turns."""
    calls = [engine(each).assign for each in ("allotment-1", "eppo-1")]

    def run() -> float:
        costs = []
        for assign in calls:
            begin = time.thread_time_ns()
            for unit in UNITS * 40:
                assign("e", unit)
            costs.append(time.thread_time_ns() - begin)
        return costs[1] / costs[0]

    return absolute("single call by eppo-1 (MD5), beside a native one", "x native", 2.0, run, 15)


ROWS = [
    batch("optimizely-1", 0.25),
    batch("unleash-variant-1", 0.25),
    batch("growthbook-1", 0.25),
    batch("growthbook-2", 0.25),
    batch("launchdarkly-1", 1.2),
    batch("eppo-1", 1.9),
    profiles_single_call,
]
