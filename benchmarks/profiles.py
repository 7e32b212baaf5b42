"""Other platforms' profiles: a batch and one call, beside the reference."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyarrow as pa

import allotment
from allotment import Engine
from benchmarks.harness import UNITS, Work

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


def profiles_single_call() -> Work:
    assign = engine("eppo-1").assign
    units = UNITS * 40

    def run() -> None:
        for unit in units:
            assign("e", unit)

    return Work("single call by eppo-1 (MD5), the dearest hash", 2.2, run, len(units))


ROWS = [
    batch("optimizely-1", 0.25),
    batch("unleash-variant-1", 0.25),
    batch("growthbook-1", 0.25),
    batch("growthbook-2", 0.25),
    batch("launchdarkly-1", 1.2),
    batch("eppo-1", 1.9),
    profiles_single_call,
]
