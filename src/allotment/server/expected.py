"""What a change was made for: the revisions that nouns, or the catalog, must still have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from allotment.store import Stored


@dataclass(frozen=True, slots=True)
class Expected:
    """Revisions that are checked under the store's lock; 0 for a noun that must not be there.

    nouns      (kind, key) to the noun's revision
    revision   the catalog's, or None where it does not matter
    """

    nouns: Mapping[tuple[str, str], int] = field(default_factory=dict)
    revision: int | None = None


# Says what is expected, given the space as it is read now; PreconditionFailed where it is not so.
Expect = Callable[[Stored], Expected]


def anything(_stored: Stored) -> Expected:
    """Nothing is expected."""
    return Expected()
