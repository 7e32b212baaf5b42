"""Profiles for users: the bucket that a platform gives a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from allotment.compile.recipe import recipe
from allotment.errors import InvalidInput, NotFound, did_you_mean
from allotment.kernel.digest import bucket, draw
from allotment.kernel.recipe import Recipe, native_buckets
from allotment.kernel.unit import unit_key
from allotment.model.hashing import Hash
from allotment.model.profile import PROFILES, Profile


def profiles() -> tuple[str, ...]:
    """The names of all profiles: ours, `allotment-1`, and those of other platforms."""
    return tuple(PROFILES)


def profile(name: str) -> HashProfile:
    """The profile of that name. Raises NotFound where there is none."""
    if name not in PROFILES:
        raise NotFound(f"there is no profile {name!r}{did_you_mean(name, PROFILES)}")
    return HashProfile(PROFILES[name])


@dataclass(frozen=True, slots=True)
class HashProfile:
    """How a platform turns a salt and a unit into a bucket, counted from 0.

    docs/profiles.md says what each profile is exact for.

    fields  what it is made of
    """

    fields: Profile

    @property
    def name(self) -> str:
        """The name, with its version."""
        return self.fields.name

    def bucket(self, salt: str, unit: str | int, buckets: int | None = None) -> int:
        """The bucket of a unit.

        `buckets` says how many there are where the profile counts them by the weights, as
        `unleash-variant-1` does. Raises InvalidInput for what is no unit, or no salt of it.
        """
        if self.fields.hash is Hash.NATIVE:
            key = unit_key(unit, "unit")
            if key is None:
                raise InvalidInput("a unit is text or a whole number", "$.unit")
            return bucket(draw(salt, key))
        return self._recipe(salt, buckets).bucket(unit)

    def buckets(self, salt: str, units: Any, buckets: int | None = None) -> npt.NDArray[np.int64]:
        """The bucket of each unit of a column, as an int64 array; -1 for what is no unit.

        `units` is what `Engine.assign_many` takes: a list, a numpy array, or Arrow data. The rest
        is as in `bucket`.
        """
        if self.fields.hash is Hash.NATIVE:
            return native_buckets(salt, units)
        return self._recipe(salt, buckets).buckets(units)

    def _recipe(self, salt: str, buckets: int | None) -> Recipe:
        count = self.fields.buckets if buckets is None else buckets
        if count is None or count < 1:
            message = f"{self.name} has as many buckets as the weights say: give `buckets`"
            raise InvalidInput(message, "$.buckets")
        if self.fields.buckets not in (None, count):
            raise InvalidInput(f"{self.name} has {self.fields.buckets:,} buckets", "$.buckets")
        return recipe(self.fields, salt, count)
