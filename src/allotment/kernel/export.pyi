from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

def export_column(codes: npt.NDArray[np.int16], names: Sequence[str]) -> tuple[object, object]:
    """A column as Arrow capsules (schema, array) of type dictionary<int16, utf8>.

    `codes` are indices into `names`, null where they are -1; any other number raises InvalidInput.
    The capsules own copies of everything.
    """

def export_table(
    names: Sequence[str],
    columns: Sequence[tuple[npt.NDArray[np.int16], Sequence[str]]],
) -> tuple[object, object]:
    """Columns of equal length as capsules of one struct array: a record batch.

    `names` are the fields'; a column is (codes, names of its treatments).
    """

@final
class Capsules:
    """Two structs on the heap, released with their capsules unless a consumer took them over."""
