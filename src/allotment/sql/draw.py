"""A draw in SQL: a value that has the order of a profile's buckets, compared with constants.

A draw is not scaled to a bucket there. "The bucket is below b" is "the number is below the first
number of bucket b", which is a constant: so no engine multiplies or rounds anything. The number is
the hexadecimal digits of a hash, as text, wherever these have its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sqlglot import exp

from allotment.errors import InvalidInput
from allotment.kernel.digest import digest
from allotment.model.hashing import Bucketing, Encoding, Hash, Slice
from allotment.model.profile import PROFILES, Draw, Profile
from allotment.model.slots import Range, Slots, join
from allotment.sql.clause import all_of, any_of, negated
from allotment.sql.columns import PREFIX
from allotment.sql.dialect import Expr, SqlDialect, call, joined, text, whole

_SALT_SEED: Final = 1
_DIVISOR: Final = 100  # of Bucketing.DIVIDE

# How many digits of a hash a slice has.
_DIGITS: Final = {
    Slice.BIG_28: 7,
    Slice.BIG_32: 8,
    Slice.LITTLE_32: 8,
    Slice.BIG_60: 15,
    Slice.BIG_64: 16,
}
_HALF: Final = 8  # digits of 32 bits


@dataclass(frozen=True)
class StageDraw:
    """What one stage draws by, in a column of its own.

    buckets  how many there are
    """

    stage: str
    draw: Draw
    buckets: int

    @cached_property
    def profile(self) -> Profile:
        """The profile."""
        return PROFILES[self.draw.profile]

    @property
    def column(self) -> Expr:
        """The column that has the draw."""
        return exp.column(f"{PREFIX}{self.stage}")

    def value(self, unit: Expr, dialect: SqlDialect) -> Expr:
        """The draw of a unit; raises InvalidInput where the engine cannot compute the profile."""
        profile, salt = self.profile, self.draw.salt
        is_wide = profile.bucketing is Bucketing.MODULO and self.buckets >= 2**31
        if is_wide or not can_draw(profile, dialect):
            able = ", ".join(name for name, one in PROFILES.items() if can_draw(one, dialect))
            raise InvalidInput(
                f"{dialect.title} cannot compute the {self.stage} draw, whose profile is"
                f" {profile.name!r}; it can compute {able}"
            )
        if profile.hash is Hash.NATIVE:
            return _native(salt, unit, self.stage)
        sides = (each.replace("{salt}", salt) for each in (profile.before, profile.after))
        before, after = ([text(each)] if each else [] for each in sides)
        hashed = dialect.hashes[profile.hash](joined(*before, unit, *after))
        if profile.hash in (Hash.MURMUR3_32, Hash.MURMUR3_128):
            return self._of_number(hashed)
        count = _DIGITS[profile.slice]
        if profile.bucketing is Bucketing.SCALE:
            return _digits(hashed, profile.slice)
        if count <= 15:
            return _modulo(dialect.number(_cut(hashed, 1, count), count), self.buckets)
        high, low = (dialect.number(_cut(hashed, at, _HALF), _HALF) for at in (1, 1 + _HALF))
        weight = whole(2**32 % self.buckets)
        high = exp.Mul(this=exp.Paren(this=_modulo(high, self.buckets)), expression=weight)
        return _modulo(exp.Paren(this=exp.Add(this=high, expression=low)), self.buckets)

    def _of_number(self, number: Expr) -> Expr:
        if self.profile.shift:
            number = call("bitShiftRight", number, whole(self.profile.shift))
        return (
            _modulo(number, self.buckets) if self.profile.bucketing is Bucketing.MODULO else number
        )

    def below(self, bucket: int) -> Expr:
        """Whether the bucket is below one; TRUE and FALSE where all of them are, or none."""
        if bucket <= 0 or bucket >= self.buckets:
            return exp.Boolean(this=bucket > 0)
        return exp.LT(this=self.column, expression=self._first(bucket))

    def below_share(self, ppm: int) -> Expr:
        """Whether the bucket is in a share of so many parts per million."""
        return self.below(self.profile.bound(ppm))

    def _first(self, bucket: int) -> Expr:
        """The first draw of a bucket, as a constant."""
        profile = self.profile
        if profile.bucketing is Bucketing.MODULO:
            return whole(bucket)
        if profile.bucketing is Bucketing.DIVIDE:
            return whole(bucket * _DIVISOR)
        first = -(-bucket * 2**profile.bits // self.buckets)
        if profile.slice in _DIGITS:
            return text(f"{first:0{_DIGITS[profile.slice]}x}")
        return whole(first)

    def within(self, ranges: tuple[Range, ...]) -> Expr:
        """Whether the bucket is in one of the ranges."""
        return any_of(
            all_of([negated(self.below(start)), self.below(stop)]) for start, stop in join(ranges)
        )

    def owner(self, slots: Slots) -> Expr:
        """The owner of the bucket, or NULL."""
        ifs: list[Expr] = []
        edge = 0
        for start, stop, owner in slots:
            if edge < start:
                ifs.append(exp.If(this=self.below(start), true=exp.null()))
            here = self.below(stop)
            if isinstance(here, exp.Boolean):
                return exp.Case(ifs=ifs, default=text(owner)) if ifs else text(owner)
            ifs.append(exp.If(this=here, true=text(owner)))
            edge = stop
        nothing = exp.cast(exp.null(), "text")
        return exp.Case(ifs=ifs, default=nothing) if ifs else nothing


def can_draw(profile: Profile, dialect: SqlDialect) -> bool:
    """Whether the engine computes the profile, for every number of buckets below 2^31."""
    if profile.hash is Hash.NATIVE:
        return dialect.native
    if profile.hash not in dialect.hashes or profile.encoding is not Encoding.UTF8:
        return False
    if profile.bucketing is Bucketing.REHASH or profile.seed != 0:
        return False
    if profile.hash in (Hash.MURMUR3_32, Hash.MURMUR3_128):
        return profile.slice is Slice.WHOLE
    if profile.shift or profile.slice not in _DIGITS:
        return False
    return profile.bucketing is Bucketing.SCALE or profile.slice is not Slice.LITTLE_32


def _modulo(number: Expr, buckets: int) -> Expr:
    return exp.Mod(this=number, expression=whole(buckets))


def _cut(digits: Expr, start: int, length: int) -> Expr:
    return exp.Substring(this=digits.copy(), start=whole(start), length=whole(length))


def _digits(digits: Expr, slice_: Slice) -> Expr:
    """The digits that are taken, the highest first."""
    if slice_ is not Slice.LITTLE_32:
        return _cut(digits, 1, _DIGITS[slice_])
    pairs = [_cut(digits, at, 2) for at in (7, 5, 3, 1)]
    return joined(*pairs)


def _native(salt: str, unit: Expr, name: str) -> Expr:
    """`allotment-1` in ClickHouse, whose whole numbers of 64 bits wrap.

    The digest is a text of 16 bytes: both halves, the lowest byte of each first.
    """
    hashed = call("murmurHash3_128", unit)
    halves = (
        call("reinterpretAsUInt64", call("substring", hashed, whole(at), whole(8))) for at in (1, 9)
    )
    seeds = digest(salt.encode(), _SALT_SEED)
    mixed = [call("bitXor", half, whole(seed)) for half, seed in zip(halves, seeds, strict=True)]
    value: Expr = exp.Add(this=mixed[0], expression=mixed[1])
    for step, factor in enumerate((0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)):
        value = exp.Mul(this=_folded(value, f"{name}_{step}"), expression=whole(factor))
    return _folded(value, f"{name}_2")


def _folded(value: Expr, name: str) -> Expr:
    """x ^ (x >> 33), where x is written once and named."""
    first = exp.Paren(this=exp.alias_(value, name, copy=False))
    return call("bitXor", first, call("bitShiftRight", exp.column(name), whole(33)))
