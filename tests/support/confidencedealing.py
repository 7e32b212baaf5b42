"""How Confidence's resolver deals units by a rule and a segment that the API shows.

Written from the vendor's documentation of its algorithm, with another murmur3 than ours.
"""

from collections.abc import Collection
from typing import Any

import mmh3


def bucket(salt: str, unit: str, buckets: int) -> int:
    """The bucket of a unit."""
    return int((mmh3.hash64(f"{salt}|{unit}".encode(), 0, True, signed=False)[0] >> 4) % buckets)


def population(account: str, unit: str) -> int:
    """Where a unit lies on the axis of an account."""
    return bucket(f"MegaSalt-{account}", unit, 1_000_000)


def dealt(rule: Any, unit: str, allocated: Collection[int] | None, account: str) -> str | None:
    """The variant that a rule gives a unit that its targeting matches; None for none.

    `allocated` are the bits of its segment that are set; None where all are.
    """
    if not rule["enabled"]:
        return None
    if allocated is not None and population(account, unit) not in allocated:
        return None
    spec = rule["assignmentSpec"]
    drawn = bucket(rule["segment"].removeprefix("segments/"), unit, spec["bucketCount"])
    for each in spec["assignments"]:
        if any(one["lower"] <= drawn < one["upper"] for one in each["bucketRanges"]):
            return str(each["variant"]["variant"]).rpartition("/")[2]
    return None
