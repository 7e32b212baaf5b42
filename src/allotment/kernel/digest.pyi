def digest(text: bytes, seed: int) -> tuple[int, int]:
    """murmur3_x64_128 of `text` as (h1, h2); the seed is 0 for a unit, 1 for a salt."""

def draw(salt: str, unit: str) -> int:
    """fmix64((u1 ^ s1) + (u2 ^ s2)), 0 to 2^64 - 1.

    Raises InvalidInput for a text with a lone surrogate.
    """

def bucket(draw: int, buckets: int = 1_000_000) -> int:
    """floor(draw * buckets / 2^64), in exact integers."""
