"""What a process serves: of each space one revision, and never an earlier one than before.

Only an operator who adopts the store as it is makes a revision go back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from allotment.change.apply import Change
from allotment.server.served import Served, follow_stored, serve_stored
from allotment.store import Stored


class Published:
    """The spaces by name. The map is replaced and never changed: whoever holds one may read it.

    Whoever writes and whoever watches publish at the same time, in any order: the later revision
    stays.
    """

    def __init__(self) -> None:
        self.spaces: Mapping[str, Served] = {}
        self._lock = threading.Lock()

    def publish(self, stored: Stored, change: Change | None = None) -> bool:
        """Serve what is stored; False where that, or something later, is served already.

        `change` is what led to it from the revision before, where that is known: only what it
        touched is compiled.
        """
        with self._lock:
            served = self.spaces.get(stored.space)
            if served is None:
                fresh = serve_stored(stored)
            elif served.revision < stored.catalog.revision:
                fresh = follow_stored(served, stored, change)
            else:
                return False
            self.spaces = {**self.spaces, stored.space: fresh}
            return True

    def replace(self, every: Iterable[Stored]) -> None:
        """Serve these and nothing else, though a revision may go back: an operator said so."""
        fresh = {stored.space: serve_stored(stored) for stored in every}
        with self._lock:
            self.spaces = fresh
