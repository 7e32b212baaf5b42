"""Profiles: how a stage turns a salt and a unit into a bucket, ours and those of other platforms.

A profile is data. Nothing anywhere else asks for a profile's name. Each has a version in its name
and never changes; a platform that hashes in another way has another profile. `docs/profiles.md`
says what each is exact for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from allotment.errors import InvalidInput
from allotment.model.hashing import Bucketing, Encoding, Hash, Slice
from allotment.model.limits import BUCKETS
from allotment.model.number import show_percent

NATIVE: Final = "allotment-1"


_BITS: Final = {
    Slice.ABSOLUTE: 32,  # as 2^31 is one of them
    Slice.BIG_32: 32,
    Slice.LITTLE_32: 32,
    Slice.LITTLE_ABSOLUTE: 32,
    Slice.BIG_28: 28,
    Slice.BIG_60: 60,
    Slice.BIG_64: 64,
    Slice.BIG_128: 64,  # which no rule scales
}
_SEED: Final = re.compile(r"0|-?[1-9][0-9]{0,9}")
_WIDE: Final = (Hash.NATIVE, Hash.MURMUR3_128)


@dataclass(frozen=True, slots=True)
class Profile:
    """One way from a salt and a unit to a bucket.

    before, after   the text on both sides of the unit, in which {salt} stands for the salt
    seed            of the hash; None where the salt is the seed, as a decimal number of 32 bits
    shift           bits that are cut off the end of the number
    buckets         how many buckets there are; None where the total of the weights says it
    divisor         where the platform compares floats: it compares bucket / divisor * factor
    factor          also the unit of its weights; None: the total of the weights
    closed          whether a bucket that is at a bound is below it, too
    filled          whether the last treatment has what rounding leaves above the last bound
    """

    name: str
    hash: Hash
    before: str = "{salt}"
    after: str = ""
    encoding: Encoding = Encoding.UTF8
    slice: Slice = Slice.WHOLE
    shift: int = 0
    seed: int | None = 0
    bucketing: Bucketing = Bucketing.MODULO
    buckets: int | None = None
    divisor: float | None = None
    factor: float | None = 1.0
    closed: bool = False
    filled: bool = False

    @property
    def bits(self) -> int:
        """How many bits the number has that the rule is applied to."""
        width = 64 if self.hash in _WIDE else 32
        return _BITS.get(self.slice, width) - self.shift

    def count(self, total: int) -> int:
        """How many buckets a stage has whose weights are parts of `total`."""
        return total if self.buckets is None else self.buckets

    def edges(self, weights: Sequence[int], total: int) -> list[int] | None:
        """How many buckets are below the end of each weight, as the platform adds up floats.

        None where it does not compare floats.
        """
        if self.divisor is None:
            return None
        factor = total if self.factor is None else self.factor
        edges, running = [], 0.0
        for weight in weights:
            running += weight * factor / total
            edges.append(self.edge(running, factor))
        if self.filled and edges and sum(weights) == total:
            edges[-1] = self.count(total)
        return edges

    def bound(self, ppm: int) -> int:
        """How many buckets a share is, in parts per million.

        Raises InvalidInput where it is no whole number of them.
        """
        if self.divisor is not None:
            factor = self.factor or 1.0
            return self.edge(ppm * factor / BUCKETS, factor)
        if self.buckets is None:
            raise InvalidInput(f"{self.name} deals treatments by weights; it has no shares")
        bound, rest = divmod(ppm * self.buckets, BUCKETS)
        if rest:
            raise InvalidInput(
                f"{self.name} has {self.buckets:,} buckets, and {show_percent(ppm)} is no whole "
                "number of them"
            )
        return bound

    def edge(self, bound: float, factor: float) -> int:
        """How many buckets the platform's own comparison of floats takes to be below `bound`.

        The comparison is monotone, so bisection finds the one place where it changes.
        """
        assert self.divisor is not None, "it compares whole numbers"
        assert self.buckets is not None, "what compares floats has a fixed number of buckets"
        low, high = 0, self.buckets
        while low < high:
            middle = (low + high) // 2
            value = middle / self.divisor * factor
            if value < bound or (self.closed and value == bound):
                low = middle + 1
            else:
                high = middle
        return low


# Profiles that several share the most of; `replace` gives each its name and what is its own.
_MURMUR3: Final = Profile("", Hash.MURMUR3_32, "{salt}:", buckets=100)
_OPTIMIZELY: Final = replace(_MURMUR3, seed=1, bucketing=Bucketing.SCALE, buckets=10_000)
_FNV: Final = Profile("", Hash.FNV1A, "", encoding=Encoding.UTF16, buckets=1_000, divisor=1_000.0)
_MD5_32: Final = Profile("", Hash.MD5, "{salt}-", slice=Slice.BIG_32, buckets=10_000)
_SHA1_60: Final = Profile(
    "",
    Hash.SHA1,
    "{salt}.",
    slice=Slice.BIG_60,
    bucketing=Bucketing.SCALE,
    buckets=2**60,
    divisor=2.0**60,
)
_SHA256: Final = Profile("", Hash.SHA256, "{salt}.", slice=Slice.BIG_64, buckets=10_000)
_FLAGD: Final = Profile("", Hash.MURMUR3_32, bucketing=Bucketing.SCALE)
_CONFIDENCE: Final = Profile("", Hash.MURMUR3_128, "{salt}|", shift=4)
_ALL_32: Final = Profile("", Hash.MD5, bucketing=Bucketing.SCALE, buckets=2**32)

_TABLE: Final = (
    Profile(NATIVE, Hash.NATIVE, bucketing=Bucketing.SCALE, buckets=BUCKETS),
    # For engines that have no murmur3: MD5 is in every one of them.
    Profile(
        "md5-1",
        Hash.MD5,
        "{salt}.",
        slice=Slice.BIG_64,
        bucketing=Bucketing.SCALE,
        buckets=BUCKETS,
    ),
    replace(_FNV, name="growthbook-1", after="{salt}"),
    replace(
        _FNV,
        name="growthbook-2",
        hash=Hash.FNV1A_TWICE,
        before="{salt}",
        buckets=10_000,
        divisor=10_000.0,
    ),
    replace(_FNV, name="growthbook-namespace-1", after="__{salt}"),
    replace(_MURMUR3, name="unleash-rollout-1"),
    replace(_MURMUR3, name="unleash-variant-1", seed=86_028_157, buckets=None),
    replace(_OPTIMIZELY, name="optimizely-1", before="", after="{salt}"),
    replace(_MD5_32, name="eppo-1"),
    replace(_MD5_32, name="eppo-legacy-exposure-1", before="exposure-", after="-{salt}"),
    replace(_MD5_32, name="eppo-legacy-assignment-1", before="assignment-", after="-{salt}"),
    replace(_SHA256, name="statsig-1"),
    replace(_SHA256, name="statsig-layer-1", buckets=1_000),
    replace(
        _MURMUR3,
        name="split-1",
        hash=Hash.JAVA31,
        before="",
        encoding=Encoding.UTF32,
        slice=Slice.ABSOLUTE,
        seed=None,
    ),
    replace(_MURMUR3, name="split-2", before="", seed=None),
    replace(
        _FLAGD,
        name="flagd-1",
        slice=Slice.ABSOLUTE,
        buckets=2**32,
        divisor=2_147_483_647.0,
        factor=100.0,
        filled=True,
    ),
    replace(_FLAGD, name="flagd-2"),
    replace(_FLAGD, name="flagd-3", encoding=Encoding.CBOR),
    replace(_FLAGD, name="flagd-pair-3", encoding=Encoding.CBOR_PAIR),
    Profile(
        "flagsmith-1",
        Hash.MD5,
        "{salt},",
        slice=Slice.BIG_128,
        bucketing=Bucketing.REHASH,
        buckets=9_998,
        divisor=9_998.0,
        factor=100.0,
    ),
    replace(_SHA1_60, name="posthog-rollout-1", closed=True),
    replace(_SHA1_60, name="posthog-variant-1", after="variant"),
    replace(_SHA1_60, name="posthog-holdout-1", before="holdout-", closed=True),
    replace(_SHA1_60, name="launchdarkly-1", filled=True),
    replace(_SHA1_60, name="planout-1", factor=None, closed=True),
    Profile("planout-integer-1", Hash.SHA1, "{salt}.", slice=Slice.BIG_60),
    Profile("goff-1", Hash.FNV1A, buckets=100_000),
    replace(_MURMUR3, name="amplitude-allocation-1", before="{salt}/"),
    replace(
        _MURMUR3,
        name="amplitude-distribution-1",
        before="{salt}/",
        bucketing=Bucketing.DIVIDE,
        buckets=42_949_673,
    ),
    Profile("configcat-1", Hash.SHA1, slice=Slice.BIG_28, buckets=100),
    replace(
        _ALL_32,
        name="azure-1",
        hash=Hash.SHA256,
        before="",
        after="\n{salt}",
        slice=Slice.LITTLE_32,
        divisor=4_294_967_295.0,
        factor=100.0,
    ),
    replace(_ALL_32, name="featbit-1", slice=Slice.LITTLE_ABSOLUTE, divisor=2_147_483_648.0),
    replace(_CONFIDENCE, name="confidence-population-1", buckets=BUCKETS),
    replace(_CONFIDENCE, name="confidence-variant-1"),
    replace(_OPTIMIZELY, name="vwo-traffic-1", before="{salt}_", buckets=100),
    replace(_OPTIMIZELY, name="vwo-variation-1", before="{salt}_"),
)

PROFILES: Final = MappingProxyType({profile.name: profile for profile in _TABLE})


def seed_of(salt: str) -> int:
    """The seed that a salt spells, as an unsigned number of 32 bits.

    Raises InvalidInput where it is no decimal number of 32 bits, signed or not.
    """
    if not _SEED.fullmatch(salt) or not -(2**31) <= int(salt) < 2**32:
        raise InvalidInput(f"the salt is a seed, a whole number of 32 bits, not {salt!r}", "$.salt")
    return int(salt) % 2**32


class Draw(NamedTuple):
    """What a stage draws by."""

    profile: str
    salt: str
