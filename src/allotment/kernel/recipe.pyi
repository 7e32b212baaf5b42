# The names are those of the profile's fields.
# ruff: noqa: A002
from typing import Any, Self, final

import numpy as np
import numpy.typing as npt

@final
class Recipe:
    """Another platform's profile with a salt; `compile.recipe` makes it of a `model.profile`.

    hash, encoding, slice, bucketing   by number, as in csrc/recipe.h
    before, after                 UTF-8 on both sides of the unit

    Raises InvalidInput where any of it is malformed.
    """

    def __new__(
        cls,
        *,
        hash: int,
        encoding: int,
        slice: int,
        bucketing: int,
        shift: int,
        bits: int,
        seed: int,
        buckets: int,
        before: bytes,
        after: bytes,
    ) -> Self: ...
    def bucket(self, unit: str | int) -> int:
        """The bucket of a unit; raises InvalidInput for what is no unit."""
    def buckets(self, units: Any) -> npt.NDArray[np.int64]:
        """The bucket of each unit of a column, -1 for what is no unit.

        `units` is what a batch takes: a list, a numpy array or Arrow data. Raises InvalidInput for
        a column that is neither text nor whole numbers.
        """

def native_buckets(salt: str, units: Any) -> npt.NDArray[np.int64]:
    """The bucket of 1,000,000 of each unit by `allotment-1`, -1 for what is no unit."""
