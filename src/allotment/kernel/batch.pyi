from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from allotment.kernel.plan import Plan

def assign_columns(
    plans: Sequence[Plan],
    units: object | Mapping[str, object],
    attributes: object | None = None,
    stored: object | None = None,
    threads: int = 1,
    seen: Callable[[dict[tuple[str, ...], str]], None] | None = None,
) -> list[tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]]:
    """The outcomes of every plan for every unit.

    units       a column of texts or whole numbers, of the kind of each plan, or a mapping of kinds
                to columns. A column is a list, a numpy array or Arrow data.
    attributes  None, a mapping of names to columns, an Arrow table or struct, or a list of dicts
    stored      None or, for a single plan, an int16 array of treatment indices, -1 for none
    threads     how many at most, the calling one among them; each takes the next 32,768 rows. The
                others stay for later calls, and are one less than there are processors
    seen        called before the run with what columns hold that segments look at, where a type
                says it: path to "text", "number" or "boolean"

    Returns for each plan codes, int16[n], the index of the treatment or -1, and reasons, uint8[n].
    A row whose unit is null or malformed has the reason NO_UNIT. Raises InvalidInput for a column
    that is malformed as a whole, or of another length than the units.
    """
