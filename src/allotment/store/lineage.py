"""The lineage of a revision: a hash over everything that was committed up to it.

A number alone does not identify a revision. After a failover that lost commits, the database counts
on from an earlier number, and another catalog gets a number that some node serves already. The
lineage of a revision is a hash of its journal row and of the lineage before it, so two histories
that differ anywhere have other lineages from there on, for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from allotment.errors import StoreError

# What a StoreError says in `code` where a store has another history than the one that was read.
OTHER_HISTORY: Final = "other_history"

_FIELDS: Final = ("revision", "at", "who", "dialect", "comment", "commands", "moves")


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """One revision of a space: its number and its lineage, 32 hex digits; "" at revision 0."""

    revision: int = 0
    lineage: str = ""


def follow(before: str, row: Mapping[str, Any]) -> str:
    """The lineage of the revision that a journal row led to, after the lineage before it.

    It is the first half of the SHA-256, in hex, of a JSON list: the earlier lineage and the row's
    fields, with sorted keys, no spaces, and everything beyond ASCII escaped.
    """
    content = [before, *(row[field] for field in _FIELDS)]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:32]


def check_continues(
    space: str, known: Head, latest: Head, lineage_at: Callable[[int], str | None] | None = None
) -> None:
    """Raise StoreError unless the store has the `known` revision with the lineage it was read with.

    `latest` is the store's latest revision. `lineage_at` gives the lineage that the store has at an
    earlier one, None if it has no such revision; without it, a store that is ahead is not looked
    into: reading what is new compares the two.
    """
    if known.revision == 0 or known == latest:
        return
    found = None
    if known.revision == latest.revision:
        found = latest.lineage
    elif known.revision < latest.revision:
        found = known.lineage if lineage_at is None else lineage_at(known.revision)
    if found == known.lineage:
        return
    cause = (
        "the store has lost that revision"
        if found is None
        else "the store has another change at that revision"
    )
    raise StoreError(
        f"revision {known.revision} of {space} was read before, and {cause}: it was put back from "
        "an older copy, lost commits in a failover, or is another store. What was read is served "
        "on, and nothing is written. If the store as it is now is right, run `allotment adopt` "
        "with it: every node then loads it whole",
        code=OTHER_HISTORY,
    )
