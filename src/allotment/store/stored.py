"""What is kept of a space: its catalog, and for each noun when it came and when it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from allotment.change.impact import Change
from allotment.errors import InvalidInput
from allotment.model import instant
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.keyed import Keyed
from allotment.store.lineage import Head


def milliseconds(when: datetime) -> int:
    """An instant in milliseconds since 1970 UTC; raises InvalidInput for one without a zone."""
    if when.tzinfo is None:
        raise InvalidInput("a time in the store needs a time zone", "$.when")
    return instant.milliseconds(when)


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of a noun is kept.

    revision    the catalog's revision that brought this version in
    created_at  when the noun came, in milliseconds since 1970 UTC; one deleted and created again is
                a new one
    updated_at  when this version came in, likewise
    created_by  who asked for the change that brought the noun in, as the journal has it
    updated_by  likewise, for this version
    """

    revision: int
    created_at: int
    updated_at: int
    created_by: str = ""
    updated_by: str = ""


_NONE: Final[Keyed[Version]] = Keyed()


@dataclass(frozen=True, slots=True)
class Stored:
    """One space at one revision; `versions` of its nouns are by "kind:key"."""

    space: str
    catalog: Catalog = EMPTY
    versions: Keyed[Version] = field(default=_NONE, repr=False)
    lineage: str = ""

    @property
    def head(self) -> Head:
        """Which revision this is, by number and lineage."""
        return Head(self.catalog.revision, self.lineage)


@dataclass(frozen=True, slots=True)
class Committed:
    """What came of a commit.

    change  what the commands made of the catalog; of a replay, nothing
    stored  the space after it
    answer  what is recorded under the idempotency key; None where there was no key
    replay  the same, where an earlier commit recorded it: then nothing was committed now; else None
    """

    change: Change
    stored: Stored
    answer: bytes | None = None
    replay: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a watcher looks at: it differs as soon as there is something new to read.

    heads    by space, the latest revision
    tokens   a count that grows whenever a token is added or revoked
    adopted  when an operator last said that the store's history is the right one, in milliseconds
             since 1970 UTC; 0 means never
    """

    heads: Mapping[str, Head]
    tokens: int
    adopted: int = 0
