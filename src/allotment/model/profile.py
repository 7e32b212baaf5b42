"""Profiles: how a stage turns a salt and a unit into a bucket, ours and those of other platforms.

A profile is data. Nothing anywhere else asks for a profile's name. Each has a version in its name
and never changes; a platform that hashes in another way has another profile. `docs/profiles.md`
says what each is exact for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


_TABLE: Final = (
    Profile(NATIVE, Hash.NATIVE, bucketing=Bucketing.SCALE, buckets=BUCKETS),
    # For engines that have no murmur3: MD5 is in every one of them.
    Profile(
        "md5-1", Hash.MD5, "{salt}.", slice=Slice.BIG_64, bucketing=Bucketing.SCALE, buckets=BUCKETS
    ),
    Profile(
        "growthbook-1", Hash.FNV1A, "", "{salt}", Encoding.UTF16, buckets=1_000, divisor=1_000.0
    ),
    Profile(
        "growthbook-2", Hash.FNV1A_TWICE, encoding=Encoding.UTF16, buckets=10_000, divisor=10_000.0
    ),
    Profile(
        "growthbook-namespace-1",
        Hash.FNV1A,
        "",
        "__{salt}",
        Encoding.UTF16,
        buckets=1_000,
        divisor=1_000.0,
    ),
    Profile("unleash-rollout-1", Hash.MURMUR3_32, "{salt}:", buckets=100),
    Profile("unleash-variant-1", Hash.MURMUR3_32, "{salt}:", seed=86_028_157),
    Profile(
        "optimizely-1",
        Hash.MURMUR3_32,
        "",
        "{salt}",
        seed=1,
        bucketing=Bucketing.SCALE,
        buckets=10_000,
    ),
    Profile("eppo-1", Hash.MD5, "{salt}-", slice=Slice.BIG_32, buckets=10_000),
    Profile(
        "eppo-legacy-exposure-1",
        Hash.MD5,
        "exposure-",
        "-{salt}",
        slice=Slice.BIG_32,
        buckets=10_000,
    ),
    Profile(
        "eppo-legacy-assignment-1",
        Hash.MD5,
        "assignment-",
        "-{salt}",
        slice=Slice.BIG_32,
        buckets=10_000,
    ),
    Profile("statsig-1", Hash.SHA256, "{salt}.", slice=Slice.BIG_64, buckets=10_000),
    Profile("statsig-layer-1", Hash.SHA256, "{salt}.", slice=Slice.BIG_64, buckets=1_000),
    Profile(
        "split-1",
        Hash.JAVA31,
        "",
        encoding=Encoding.UTF32,
        slice=Slice.ABSOLUTE,
        seed=None,
        buckets=100,
    ),
    Profile("split-2", Hash.MURMUR3_32, "", seed=None, buckets=100),
    Profile(
        "flagd-1",
        Hash.MURMUR3_32,
        slice=Slice.ABSOLUTE,
        bucketing=Bucketing.SCALE,
        buckets=2**32,
        divisor=2_147_483_647.0,
        factor=100.0,
        filled=True,
    ),
    Profile("flagd-2", Hash.MURMUR3_32, bucketing=Bucketing.SCALE),
    Profile("flagd-3", Hash.MURMUR3_32, encoding=Encoding.CBOR, bucketing=Bucketing.SCALE),
    Profile(
        "flagd-pair-3", Hash.MURMUR3_32, encoding=Encoding.CBOR_PAIR, bucketing=Bucketing.SCALE
    ),
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
    Profile(
        "posthog-rollout-1",
        Hash.SHA1,
        "{salt}.",
        slice=Slice.BIG_60,
        bucketing=Bucketing.SCALE,
        buckets=2**60,
        divisor=2.0**60,
        closed=True,
    ),
    Profile(
        "posthog-variant-1",
        Hash.SHA1,
        "{salt}.",
        "variant",
        slice=Slice.BIG_60,
        bucketing=Bucketing.SCALE,
        buckets=2**60,
        divisor=2.0**60,
    ),
    Profile(
        "posthog-holdout-1",
        Hash.SHA1,
        "holdout-",
        slice=Slice.BIG_60,
        bucketing=Bucketing.SCALE,
        buckets=2**60,
        divisor=2.0**60,
        closed=True,
    ),
    Profile(
        "launchdarkly-1",
        Hash.SHA1,
        "{salt}.",
        slice=Slice.BIG_60,
        bucketing=Bucketing.SCALE,
        buckets=2**60,
        divisor=2.0**60,
        filled=True,
    ),
    Profile(
        "planout-1",
        Hash.SHA1,
        "{salt}.",
        slice=Slice.BIG_60,
        bucketing=Bucketing.SCALE,
        buckets=2**60,
        divisor=2.0**60,
        factor=None,
        closed=True,
    ),
    Profile("planout-integer-1", Hash.SHA1, "{salt}.", slice=Slice.BIG_60),
    Profile("goff-1", Hash.FNV1A, buckets=100_000),
    Profile("amplitude-allocation-1", Hash.MURMUR3_32, "{salt}/", buckets=100),
    Profile(
        "amplitude-distribution-1",
        Hash.MURMUR3_32,
        "{salt}/",
        bucketing=Bucketing.DIVIDE,
        buckets=42_949_673,
    ),
    Profile("configcat-1", Hash.SHA1, slice=Slice.BIG_28, buckets=100),
    Profile(
        "azure-1",
        Hash.SHA256,
        "",
        "\n{salt}",
        slice=Slice.LITTLE_32,
        bucketing=Bucketing.SCALE,
        buckets=2**32,
        divisor=4_294_967_295.0,
        factor=100.0,
    ),
    Profile(
        "featbit-1",
        Hash.MD5,
        slice=Slice.LITTLE_ABSOLUTE,
        bucketing=Bucketing.SCALE,
        buckets=2**32,
        divisor=2_147_483_648.0,
    ),
    Profile("confidence-population-1", Hash.MURMUR3_128, "{salt}|", shift=4, buckets=BUCKETS),
    Profile("confidence-variant-1", Hash.MURMUR3_128, "{salt}|", shift=4),
    Profile(
        "vwo-traffic-1", Hash.MURMUR3_32, "{salt}_", seed=1, bucketing=Bucketing.SCALE, buckets=100
    ),
    Profile(
        "vwo-variation-1",
        Hash.MURMUR3_32,
        "{salt}_",
        seed=1,
        bucketing=Bucketing.SCALE,
        buckets=10_000,
    ),
)

PROFILES: Final = MappingProxyType({profile.name: profile for profile in _TABLE})


class Draw(NamedTuple):
    """What a stage draws by."""

    profile: str
    salt: str
