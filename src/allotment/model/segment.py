"""A segment: a set of units, by lists and by rules on their attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from allotment.errors import InvalidInput
from allotment.model.limits import LISTED_IDS_MAX
from allotment.model.slots import Ranges
from allotment.model.text import check_unit_key


@dataclass(frozen=True, slots=True)
class IdList:
    """Unit keys, sorted, without repeats, as UTF-8 lines in one `bytes` (a key holds no newline).

    A million keys as text cost their bytes and nothing more, where a set of `str` costs 118 bytes
    each.
    """

    text: bytes = b""
    count: int = 0

    @classmethod
    def of(cls, ids: Iterable[str], path: str = "") -> IdList:
        """The list of `ids`; raises InvalidInput with the place of a key that is not one."""
        unique: set[str] = set()
        for index, key in enumerate(ids):
            check_unit_key(key, f"{path}[{index}]")
            if "\n" in key:
                raise InvalidInput("a listed id cannot hold a newline", f"{path}[{index}]")
            unique.add(key)
        if len(unique) > LISTED_IDS_MAX:
            raise InvalidInput(
                f"a list holds at most {LISTED_IDS_MAX:,} ids; this one has {len(unique):,}", path
            )
        return cls("\n".join(sorted(unique)).encode(), len(unique))

    def __iter__(self) -> Iterator[str]:
        return iter(self.text.decode().split("\n") if self.count else ())

    def __len__(self) -> int:
        return self.count


NO_IDS = IdList()


Scalar: TypeAlias = str | int | float | bool


class Operator(StrEnum):
    """How a clause compares an attribute; several values mean any of them.

    A value of another type than the operator compares is no match, never an error: text operators
    see text, numeric ones int and float (not bool), semver ones text that is a semantic version.
    A list attribute matches where any of its elements does.
    """

    IN = "in"  # equal to one of the values, same type; 1 and 1.0 are equal, 1 and true are not
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"  # RE2, unanchored
    EXISTS = "exists"  # no values: present and not null
    LESS = "less_than"
    AT_MOST = "at_most"
    GREATER = "greater_than"
    AT_LEAST = "at_least"
    SEMVER_EQUALS = "semver_equals"
    SEMVER_LESS = "semver_less_than"
    SEMVER_AT_MOST = "semver_at_most"
    SEMVER_GREATER = "semver_greater_than"
    SEMVER_AT_LEAST = "semver_at_least"


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. `attribute` is the path to a nested value: ("address", "country")."""

    attribute: tuple[str, ...]
    operator: Operator
    values: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    """True where every condition is; of none, true."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where at least one condition is; of none, false."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where the condition is not. A clause on a missing attribute is false: its Not holds."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class InSegment:
    """True for the members of another segment."""

    segment: str


Condition: TypeAlias = Clause | AllOf | AnyOf | Not | InSegment


@dataclass(frozen=True, slots=True)
class Sample:
    """A part of the units: only these take part in the experiments whose audience is the segment.

    Without a layer the sample has a draw of its own, and its ranges are [0, share). In a layer it
    has buckets of that layer's draw, and never one that a reservation has. Samples of one layer
    that exclude each other never share a bucket; others are near independent.

    `tags` and `exclusive_to` are sorted. On the way in `ranges` may be empty, which lays them; in a
    catalog they hold `share_ppm` buckets.
    """

    share_ppm: int
    layer: str | None = None
    tags: tuple[str, ...] = ()
    exclusive_to: tuple[str, ...] = ()
    ranges: Ranges = ()

    def excludes(self, other: Sample) -> bool:
        """Whether the two share no unit: in one layer, where one names a tag of the other."""
        if self.layer is None or self.layer != other.layer:
            return False
        named = set(self.exclusive_to) & set(other.tags)
        return bool(named or set(other.exclusive_to) & set(self.tags))


@dataclass(frozen=True, slots=True)
class Segment:
    """A unit is a member if it is in `include`; else not if in `exclude`; else if any rule holds.

    `unit` is the kind of unit the two lists name. A segment with a `sample` is an audience and
    nothing else: whether a unit is in the sample is asked before whether it is a member. `kept` is
    as in a flag.
    """

    key: str
    name: str = ""
    description: str = ""
    unit: str = "user"
    include: IdList = NO_IDS
    exclude: IdList = NO_IDS
    rules: tuple[Condition, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    sample: Sample | None = None
