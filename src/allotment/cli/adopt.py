"""`allotment adopt`: say that a store's history is the right one, after a failover or a restore."""

from __future__ import annotations

from datetime import UTC, datetime

from allotment.cli.consent import Yes, ask
from allotment.cli.console import notes
from allotment.cli.options import DEFAULT_STORE, StoreOption
from allotment.store import Store, location

NAME = "adopt"


def run(*, store: StoreOption = DEFAULT_STORE, yes: Yes = False) -> None:
    """Make every node load the store, even if it served another history before.

    A node whose store lost or replaced a revision continues to serve what it has and writes
    nothing. Run this on the store once you know that its contents are right.
    """
    with Store.open(store, create=False) as opened:
        for space, head in sorted(opened.pulse().heads.items()):
            line = f"{space} is at revision {head.revision} with the lineage {head.lineage or '-'}"
            notes.print(line, markup=False, soft_wrap=True)
        if not yes:
            ask("every node drops what it serves and loads this store", "Adopt it?")
        opened.adopt(datetime.now(UTC))
    notes.print(f"{location.name(store)} is adopted", markup=False, soft_wrap=True)
