"""A catalog in the making: the old one, and what differs so far."""

from __future__ import annotations

from typing import Any, TypeVar

from allotment.change.commands import Noun
from allotment.change.fields import replaced
from allotment.change.kinds import WORDS, kind_of, noun_path, nouns_of
from allotment.change.lifecycle import Policy
from allotment.errors import NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Segment

N = TypeVar("N", Flag, Segment, Layer, Holdout, Experiment)


def same(one: Noun | None, other: Noun | None) -> bool:
    """Whether two nouns are equal, values of clauses by type too: 1 is neither true nor 1.0."""
    if one is other:
        return True
    if isinstance(one, Segment) and isinstance(other, Segment):
        return one == other and repr(one.rules) == repr(other.rules)
    return one == other


class Proposal:
    """What the commands so far make of a catalog; mutable, and used by one `apply` only.

    `changed` holds, by (kind, key), the noun as it would be, or None where it would be gone, and
    `changed_by` the position of the command that last changed it. `kept` is what the space would
    keep itself.
    """

    __slots__ = ("catalog", "changed", "changed_by", "command", "kept", "policy")

    def __init__(self, catalog: Catalog, policy: Policy) -> None:
        self.catalog = catalog
        self.policy = policy
        self.changed: dict[tuple[str, str], Noun | None] = {}
        self.changed_by: dict[tuple[str, str], int] = {}
        self.kept = catalog.kept
        self.command = 0

    def find(self, kind: str, key: str) -> Noun | None:
        """The noun as it would be; None where there is none."""
        if (kind, key) in self.changed:
            return self.changed[kind, key]
        found: Noun | None = nouns_of(self.catalog, kind).get(key)
        return found

    def get(self, wanted: type[N], key: str) -> N:
        """The noun as it would be; raises NotFound."""
        kind = WORDS[wanted]
        noun = self.find(kind, key)
        if not isinstance(noun, wanted):
            raise NotFound(f"there is no {kind} {key!r}", noun_path(kind, key))
        return noun

    def put(self, noun: Noun) -> None:
        """Make the noun be so. One that is as it was does not count as changed."""
        self._set(kind_of(noun), noun.key, noun)

    def remove(self, kind: str, key: str) -> None:
        """Make the noun be gone."""
        self._set(kind, key, None)

    def _set(self, kind: str, key: str, noun: Noun | None) -> None:
        if same(nouns_of(self.catalog, kind).get(key), noun):
            self.changed.pop((kind, key), None)
        else:
            self.changed[kind, key] = noun
            self.changed_by[kind, key] = self.command

    def close(self) -> Catalog:
        """The catalog as it would be, under the next revision, its `users` still the old ones."""
        by_kind: dict[str, dict[str, Noun | None]] = {}
        for (kind, key), noun in self.changed.items():
            by_kind.setdefault(kind, {})[key] = noun
        old = self.catalog
        # `put` filed each noun under its own kind, which the type checker cannot follow.
        changed: dict[str, Any] = {
            f"{kind}s": nouns_of(old, kind).change(changes) for kind, changes in by_kind.items()
        }
        return replaced(old, revision=old.revision + 1, kept=self.kept, **changed)
