"""A profile and a salt to what the kernel draws by."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from allotment.errors import InvalidInput
from allotment.kernel.recipe import Recipe
from allotment.model.hashing import Encoding, Hash
from allotment.model.profile import PROFILES, Draw, Profile

_SEED_MAX: Final = 2**32


def kernel_draw(draw: Draw, total: int = 0) -> str | Recipe:
    """What a plan takes for a stage: the salt of a native draw, or a recipe.

    `total` is that of the weights, which some profiles have as many buckets of.
    """
    profile = PROFILES[draw.profile]
    if profile.hash is Hash.NATIVE:
        return draw.salt
    return recipe(profile, draw.salt, profile.count(total))


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
        seed=_seed(salt) if profile.seed is None else profile.seed,
        buckets=buckets,
        before=_pair(salt) if profile.encoding is Encoding.CBOR_PAIR else before.encode(),
        after=after.encode(),
    )


def _seed(salt: str) -> int:
    """The seed that a salt spells: a decimal number of 32 bits, signed or not."""
    try:
        seed = int(salt)
    except ValueError:
        seed = _SEED_MAX
    if str(seed) != salt or not -(_SEED_MAX // 2) <= seed < _SEED_MAX:
        raise InvalidInput(f"the salt is a seed, a whole number of 32 bits, not {salt!r}", "$.salt")
    return seed % _SEED_MAX


def _pair(salt: str) -> bytes:
    """The head of a CBOR array of two, and its first text (RFC 8949)."""
    data = salt.encode()
    if len(data) < 24:
        head = bytes([0x60 | len(data)])
    elif len(data) < 1 << 8:
        head = bytes([0x78, len(data)])
    else:
        head = b"\x79" + len(data).to_bytes(2, "big")
    return b"\x82" + head + data
