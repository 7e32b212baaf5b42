"""The native vectors through the two ways of asking that the world uses."""

from __future__ import annotations

import json
from pathlib import Path

from kernel.batching import ALLOCATED, batched, plan_of, singly

FILE = Path(__file__).parents[1] / "vectors" / "native.json"
VECTORS = [
    (vector["salt"], vector["unit"], vector["bucket"])
    for vector in json.loads(FILE.read_text("utf-8"))["vectors"]
    if 1 <= len(vector["unit"].encode()) <= 1024
]


def owners(bucket: int) -> list[tuple[int, int, int]]:
    """Slots that give `bucket` alone to treatment 1, everything beside it to treatment 0."""
    slots = [(0, bucket, 0), (bucket, bucket + 1, 1), (bucket + 1, 1_000_000, 0)]
    return [slot for slot in slots if slot[0] < slot[1]]


def test_the_vectors_hold_in_the_single_call() -> None:
    assert len(VECTORS) > 1_000
    for salt, unit, bucket in VECTORS:
        plan = plan_of(treatment=salt, allocations=[(-1, owners(bucket))])
        assert singly(plan, [unit]) == [(ALLOCATED, 1)], (salt, unit)


def test_the_vectors_hold_in_the_batch() -> None:
    """All units of a salt together, so that keys of every length are hashed side by side."""
    for salt in {salt for salt, _, _ in VECTORS}:
        mine = [(unit, bucket) for other, unit, bucket in VECTORS if other == salt]
        units = [unit for unit, _ in mine]
        for bucket in {bucket for _, bucket in mine}:
            plan = plan_of(treatment=salt, allocations=[(-1, owners(bucket))])
            expected = [(ALLOCATED, int(own == bucket)) for _, own in mine]
            assert batched(plan, units) == expected, (salt, bucket)
