from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from allotment.kernel.json_ids import Texts

def row_texts(
    units: Texts | bytes,
    columns: Iterable[
        tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None, int]
    ],
    word: Callable[[int, int, int, bool], bytes],
    opening: bytes = b"",
    closing: bytes = b"",
    less: int = 0,
) -> bytes:
    """Each unit with its words behind it, all between the opening and the closing.

    `units` are `Texts`, or lines of text as bytes, each with its line feed. A column is (codes,
    reasons, marks, how many codes): an int16 array from -1 on, a uint8 array of places in REASONS,
    and None or a uint8 array of 0 and 1. `word` gives the word of (place of the column, code,
    reason, mark), and is asked once for each that there is. Of the last word the last `less` bytes
    are left out.

    Raises InvalidInput where the lengths differ, and for a code that the column does not have.
    """
