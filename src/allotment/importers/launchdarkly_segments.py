"""LaunchDarkly's segments, and the one kind of context that a flag may look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allotment.importers.launchdarkly_clauses import USER, LdClause, LdScope, all_of
from allotment.importers.launchdarkly_payload import LdSegment, LdTarget
from allotment.importers.payload import part, refuse
from allotment.importers.rules import Imported
from allotment.importers.values import ids_of
from allotment.model.segment import Segment


class LdSegments:
    """Segments, read when they are first asked for: one may name another."""

    def __init__(self, imported: Imported, given: Any) -> None:
        self._imported = imported
        self._given = given
        self._kinds: dict[str, set[str] | None] = {}

    def kinds(self, key: str) -> set[str] | None:
        """The kinds of context that a segment looks at; None where it is not there."""
        if key not in self._kinds and key in self._given:
            self._kinds[key] = None  # so that one which leads back to itself is left out
            path = f"$.segments.{key}"
            given: LdSegment | None = None
            with self._imported.attempt(path, f"segment {key}"):
                given = part(LdSegment, self._given[key], path)
            if given is not None:
                # Those that it names come first, each by itself.
                kinds = self.of(clause for rule in given.rules or [] for clause in rule.clauses)
                with self._imported.attempt(path, f"segment {key}"):
                    self._imported.segments.append(self._read(key, given, kinds, path))
                    self._kinds[key] = kinds
            if all(segment.key != key for segment in self._imported.segments):
                self._kinds[key] = None
        return self._kinds.get(key)

    def of(self, clauses: Iterable[LdClause]) -> set[str]:
        """The kinds of context that clauses look at, through segments too."""
        found: set[str] = set()
        for clause in clauses:
            if clause.kind is not None:
                found.add(clause.kind)
            else:
                found.update(*(self.kinds(key) or () for key in map(str, clause.values)))
        return found

    def scope(self, owner: str, unit: str) -> LdScope:
        """What the clauses of a flag or segment may ask for: the segments that are there."""
        there = [key for key, kinds in self._kinds.items() if kinds is not None]
        return LdScope(owner, unit, there, self._imported)

    def _read(self, key: str, given: LdSegment, kinds: set[str], path: str) -> Segment:
        if given.deleted:
            refuse(path, "it is deleted")
        if given.unbounded:
            refuse(f"{path}.unbounded", "its members are in a store of their own")
        rules = given.rules or []
        for index, rule in enumerate(rules):
            if rule.weight is not None:
                refuse(f"{path}.rules[{index}].weight", "a share of the members has no equal here")
        lists = [
            [LdTarget(first or []), *(more or [])]
            for first, more in (
                (given.included, given.included_contexts),
                (given.excluded, given.excluded_contexts),
            )
        ]
        kinds |= {target.kind for each in lists for target in each if target.values}
        unit = one_kind(kinds, path)
        include, exclude = (
            ids_of((value for target in each for value in target.values), path) for each in lists
        )
        scope = self.scope(key, unit)
        conditions = tuple(
            all_of(rule.clauses, scope, f"{path}.rules[{index}]")
            for index, rule in enumerate(rules)
        )
        return Segment(key, unit=unit, include=include, exclude=exclude, rules=conditions)


def one_kind(kinds: set[str], path: str) -> str:
    """The only kind; raises LeftOut where there are several."""
    if len(kinds) > 1:
        named = ", ".join(sorted(kinds))
        refuse(path, f"it looks at several kinds of context, and a unit is of one: {named}")
    return next(iter(kinds), USER)
