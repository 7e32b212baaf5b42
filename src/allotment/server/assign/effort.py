"""What a request may take, computed from its size and what it asks before the work begins.

A list of many elements is compared with the clauses of every segment that the request asks. What
takes longer than the event loop can spare is done in a thread, and what would keep a thread busy
for seconds is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from allotment.errors import TooLarge
from allotment.matching.index import Work
from allotment.server.assign.shown import Shown
from allotment.server.http.limits import REQUEST_NANOSECONDS_MAX
from allotment.server.sync.spaces import work_of


class Size(NamedTuple):
    """How many values the attributes of a request may have, and how many characters."""

    values: int
    characters: int

    @classmethod
    def of(cls, text: bytes | bytearray, lists: int = 0) -> Size:
        """The size of a request as it is written, `lists` of whose arrays are no attributes."""
        values = 1 + text.count(b",") if text.count(b"[") > lists else 1
        return cls(values, len(text))


def effort(shown: Shown, experiments: Collection[str], size: Size, work: Work | None = None) -> int:
    """What it may take to ask these experiments, in nanoseconds; `work` is theirs, where known.

    Raises TooLarge where that is more than a request may take.
    """
    snapshot = shown.served.engine.snapshot
    if work is not None:
        pass
    elif experiments is not snapshot.plans:
        work = Work.all(work_of(snapshot, key) for key in experiments)
    elif shown.work is None:
        work = shown.work = Work.all(work_of(snapshot, key) for key in experiments)
    else:
        work = shown.work
    cost = work.cost(*size)
    if cost > REQUEST_NANOSECONDS_MAX:
        raise TooLarge(
            f"these attributes may have {size.values:,} values in {size.characters:,} bytes, which"
            f" is too much for {len(experiments):,} experiments at once: send fewer values, or ask"
            " for fewer experiments",
            "$.attributes",
        )
    return cost
