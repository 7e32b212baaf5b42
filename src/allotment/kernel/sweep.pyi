from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from allotment.kernel.plan import Plan

def sweep(
    plan: Plan,
    draws: npt.NDArray[np.uint64],
    members: Sequence[bool] = (),
    stored: str | None = None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """What `plan` decides on `n` given rows of draws, by the same C as every assignment.

    draws    uint64[4, n]: the draws of holdout, layer, enrolment and treatment; a stage the plan
             lacks is not read
    members  whether the unit is a member of each of the plan's segments
    stored   the treatment kept for it

    Returns the treatment indices (int16[n], -1 for none) and the reason codes (uint8[n]) of a unit
    that no override or claim names. Raises InvalidInput for arrays of another shape.
    """
