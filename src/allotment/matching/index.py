"""The clauses of one path, answered together: what each costs does not grow with its values.

`clause.holds` says what a clause means, value by value; this says the same (a test compares them).
A list is taken as a whole. Equal values are found in tables, beginnings and ends by a binary search
(`Prefixes`), and of a list only the least and the greatest are compared with a bound. What remains
for each value is to look for texts within a text, and for patterns: `Work` counts that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from allotment.matching.clause import NUMBER_TESTS, SEMVER_TESTS
from allotment.matching.pattern import Pattern, compile_pattern, subject_of
from allotment.matching.prefix import Prefixes
from allotment.matching.semver import Precedence, precedence
from allotment.model.segment import Clause, Operator
from allotment.values import Value

# Below so many texts, looking for one after the other is faster than one walk over the text.
_FEW: Final = 16

# What it takes at the most, in nanoseconds; measured with some room.
_CLAUSE: Final = 200
_VALUE: Final = 2_000
_PATTERN: Final = 1_500
_WALK: Final = 200
_SEARCH: Final = 5

# Whose bound is the greatest value of a clause; the others' is the least.
_BELOW: Final = frozenset(
    {Operator.LESS, Operator.AT_MOST, Operator.SEMVER_LESS, Operator.SEMVER_AT_MOST}
)

_Bound = tuple[int, Callable[[Any, Any], bool], Any, bool]


class Work(NamedTuple):
    """What it may take to answer, in nanoseconds: at all, for each value, for each character."""

    once: int = 0
    value: int = 0
    character: int = 0

    @staticmethod
    def beside(works: Iterable[Work]) -> Work:
        """That of several paths: a value and a character are at one of them."""
        found = list(works)
        once = sum(each.once for each in found)
        greatest = (max((each[at] for each in found), default=0) for at in (1, 2))
        return Work(once, *greatest)

    @staticmethod
    def all(works: Iterable[Work]) -> Work:
        """That of several segments, each of which looks at all values."""
        return Work(*map(sum, zip(NO_WORK, *works, strict=True)))

    def cost(self, values: int, characters: int) -> int:
        """What so many values of so many characters together may take, in nanoseconds."""
        return self.once + values * self.value + characters * self.character


NO_WORK: Final = Work()


class Index:
    """Clauses that look at the same path, each with its bit.

    Raises InvalidInput for a pattern that RE2 does not take. A value that its operator does not
    compare is dropped: `matching.check` has refused it before.
    """

    __slots__ = (
        "_always", "_ends", "_few", "_flags", "_numbers", "_others", "_patterns", "_starts",
        "_versions", "_versions_equal", "_within", "work",
    )  # fmt: skip

    def __init__(self, clauses: Iterable[tuple[int, Clause]]) -> None:
        self._always = 0
        self._flags: dict[Value, int] = defaultdict(int)
        self._others: dict[Value, int] = defaultdict(int)
        self._numbers: list[_Bound] = []
        self._versions: list[_Bound] = []
        self._versions_equal: dict[Precedence, int] = defaultdict(int)
        self._patterns: list[tuple[int, Pattern]] = []
        texts: dict[Operator, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        count = 0
        for bit, clause in clauses:
            count += 1
            self._add(bit, clause, texts)
        ends = {text[::-1]: bits for text, bits in texts[Operator.ENDS_WITH].items()}
        inner = texts[Operator.CONTAINS]
        self._starts = Prefixes(texts[Operator.STARTS_WITH])
        self._ends = Prefixes(ends)
        self._few = list(inner.items()) if len(inner) <= _FEW else []
        self._within = Prefixes(inner) if len(inner) > _FEW else None
        self.work = self._work(count)

    def bits(self, values: Iterable[Value]) -> int:
        """The bits of the clauses that hold for one of the values, which are those of one list."""
        found = 0
        numbers: list[float] = []
        texts: list[str] = []
        for value in values:
            found |= self._always
            if isinstance(value, bool):
                found |= self._flags.get(value, 0)
            elif isinstance(value, str):
                found |= self._others.get(value, 0)
                texts.append(value)
            elif isinstance(value, int | float):
                found |= self._others.get(value, 0)
                numbers.append(value)
        if numbers and self._numbers:
            found |= _beyond(self._numbers, min(numbers), max(numbers))
        for text in texts:
            found |= self._in_text(text, found)
        if texts and (self._versions or self._versions_equal):
            found |= self._in_versions([each for each in map(precedence, texts) if each])
        return found

    def _add(self, bit: int, clause: Clause, texts: dict[Operator, dict[str, int]]) -> None:
        asked, values = clause.operator, clause.values
        said = [each for each in values if isinstance(each, str)]
        if asked is Operator.EXISTS:
            self._always |= bit
        elif asked is Operator.IN:
            for value in values:
                equal = self._flags if isinstance(value, bool) else self._others
                equal[value] |= bit
        elif asked in NUMBER_TESTS:
            numbers = [each for each in values if not isinstance(each, str | bool)]
            self._bound(self._numbers, bit, asked, NUMBER_TESTS[asked], numbers)
        elif asked in SEMVER_TESTS:
            self._add_versions(bit, asked, [each for each in map(precedence, said) if each])
        elif asked is Operator.MATCHES:
            self._patterns += [(bit, compile_pattern(each)) for each in said]
        else:
            for each in said:
                texts[asked][each] |= bit

    def _add_versions(self, bit: int, asked: Operator, versions: list[Precedence]) -> None:
        if asked is not Operator.SEMVER_EQUALS:
            self._bound(self._versions, bit, asked, SEMVER_TESTS[asked], versions)
            return
        for each in versions:
            self._versions_equal[each] |= bit

    @staticmethod
    def _bound(
        into: list[_Bound],
        bit: int,
        asked: Operator,
        compare: Callable[[Any, Any], bool],
        values: list[Any],
    ) -> None:
        """To be below any of the values is to be below the greatest."""
        if values:
            below = asked in _BELOW
            into.append((bit, compare, max(values) if below else min(values), below))

    def _in_text(self, text: str, found: int) -> int:
        found |= self._starts.beginning(text) | self._ends.beginning(text[::-1])
        for each, bits in self._few:
            if bits & ~found and each in text:
                found |= bits
        if self._within is not None:
            found |= self._within.within(text)
        subject = subject_of(text) if self._patterns else None
        if subject is None:
            return found
        for bit, pattern in self._patterns:
            if not bit & found and pattern.search(subject) is not None:
                found |= bit
        return found

    def _in_versions(self, versions: list[Precedence]) -> int:
        found = 0
        for version in versions:
            found |= self._versions_equal.get(version, 0)
        return found | _beyond(self._versions, min(versions), max(versions)) if versions else 0

    def _work(self, clauses: int) -> Work:
        walk = _WALK if self._within is not None else _SEARCH * len(self._few)
        value = _VALUE + _PATTERN * len(self._patterns)
        return Work(clauses * _CLAUSE, value, walk + sum(each.work for _, each in self._patterns))


def _beyond(bounds: list[_Bound], least: Any, greatest: Any) -> int:
    """The bits of the bounds that the least or the greatest of some values keeps to."""
    found = 0
    for bit, compare, bound, below in bounds:
        if compare(least if below else greatest, bound):
            found |= bit
    return found
