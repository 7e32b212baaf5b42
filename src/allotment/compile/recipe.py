"""A profile and a salt to what the kernel draws by."""

from __future__ import annotations

from functools import lru_cache

from allotment.kernel.recipe import Recipe
from allotment.model.hashing import Hash
from allotment.model.profile import NATIVE, PROFILES, Draw, Profile, seed_of


def kernel_draw(draw: Draw, total: int = 0) -> str | Recipe:
    """What a plan takes for a stage: the salt of a native draw, or a recipe.

    `total` is that of the weights, which some profiles have as many buckets of.
    """
    name, salt = draw
    if name == NATIVE:  # nearly always
        return salt
    profile = PROFILES[name]
    if profile.hash is Hash.NATIVE:
        return salt
    return recipe(profile, salt, profile.count(total))


@lru_cache(4096)  # experiments of one layer have one recipe, which a batch then draws by once
def recipe(profile: Profile, salt: str, buckets: int) -> Recipe:
    """The recipe of a profile that is not native. Raises InvalidInput for a salt that it lacks."""
    before, after = (text.replace("{salt}", salt) for text in (profile.before, profile.after))
    return Recipe(
        hash=profile.hash,
        encoding=profile.encoding,
        slice=profile.slice,
        bucketing=profile.bucketing,
        shift=profile.shift,
        bits=profile.bits,
        seed=seed_of(salt) if profile.seed is None else profile.seed,
        buckets=buckets,
        before=before.encode(),
        after=after.encode(),
    )
