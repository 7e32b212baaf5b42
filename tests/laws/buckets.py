"""All 1,000,000 buckets of every stage, as draws, and what their owners say of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from allotment.compile import Snapshot
from allotment.kernel.sweep import sweep
from allotment.model.limits import BUCKETS

Buckets = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16]
Reasons = npt.NDArray[np.uint8]
Draws = npt.NDArray[np.uint64]

ALL: Buckets = np.arange(BUCKETS)
STAGES = ("holdout", "layer", "enrolment", "treatment")

# The lowest draw of each bucket, ceil(bucket * 2^64 / 1,000,000), exact in 64 bits; the highest.
_WHOLE, _REST = (np.uint64(part) for part in divmod(2**64, BUCKETS))
_WIDE = ALL.astype(np.uint64)
FIRST: Draws = _WIDE * _WHOLE + (_WIDE * _REST + np.uint64(BUCKETS - 1)) // np.uint64(BUCKETS)
LAST: Draws = np.roll(FIRST, -1) - np.uint64(1)  # 0 - 1 is 2^64 - 1


def deal(
    snapshot: Snapshot, experiment: str, stored: str | None = None, **buckets: Buckets
) -> tuple[Codes, Reasons]:
    """What every row of buckets, by stage, gets: at the lowest draws, and the same at the highest.

    A stage that is not given is bucket 0 in every row. All segments hold.
    """
    plan = snapshot.plans[experiment]
    rows = len(next(iter(buckets.values())))
    given = [buckets.get(stage, np.zeros(rows, np.int64)) for stage in STAGES]
    members = [True] * len(plan.segments)
    low, high = (
        sweep(plan, np.array([edge[each] for each in given]), members, stored)
        for edge in (FIRST, LAST)
    )
    assert np.array_equal(low[0], high[0])
    assert np.array_equal(low[1], high[1])
    return low
