"""The last good file: what was seen of the store, kept for a start while it is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from allotment import durable
from allotment.errors import AllotmentError
from allotment.server.counters import Counters
from allotment.server.sync.follower import Follower
from allotment.server.sync.spaces import Spaces
from allotment.store import LastGood, lastgood

log: Final = logging.getLogger("allotment.server")


class LastGoodWriter:
    """Writes the file where there is something new, and reads it at a start without the store."""

    def __init__(
        self,
        file: Path,
        store: str,
        published: Spaces,
        follower: Follower,
        counters: Counters,
    ) -> None:
        self._file = file
        self._store = store
        self._published = published
        self._follower = follower
        self._counters = counters
        self._kept: tuple[object, object] = (None, None)  # what the file holds

    def save(self) -> None:
        """Write what is served, unless that is in the file; raises AllotmentError or OSError."""
        spaces, tokens = self._published.spaces, self._follower.tokens
        if not self._follower.access.known or (spaces is self._kept[0] and tokens is self._kept[1]):
            return
        stored = {name: served.stored for name, served in spaces.items()}
        good = LastGood(self._store, stored, tokens, self._follower.adopted or 0)
        try:
            # After a start the file mostly holds this: to spell it again takes as long as to load.
            if self._kept[0] is not None or not lastgood.renew(self._file, good):
                lastgood.save(self._file, good)
        except (AllotmentError, OSError):
            self._counters.saves_failed += 1
            raise
        self._kept = spaces, tokens

    def save_at_last(self) -> None:
        """Write what is served as the process ends; that it cannot be written stops nothing."""
        try:
            self.save()
        except (AllotmentError, OSError) as error:
            log.warning("the last good file cannot be written: %s", error)

    def load(self, now: Callable[[], float]) -> None:
        """Serve what the file holds instead of the store; it is as old as it was written.

        That is where the store is away. Where it is there and empty, it is the wrong one if the
        file holds anything: a volume is not mounted, or an address is wrong. To serve nothing would
        be a fault, and nothing may be written there.
        """
        empty = bool(self._published.spaces)
        if empty and not durable.exists(self._file):
            return
        try:
            found = lastgood.load(self._file)
            lastgood.check_owner(self._file, found.store, self._store)
        except AllotmentError as error:
            log.error("the last good file is of no use: %s", error)
            return
        if empty and not any(stored.catalog.revision for stored in found.spaces.values()):
            return
        try:
            self._published.replace(found.spaces.values())
        except Exception:  # a catalog that no store had, written by hand
            log.exception("the last good file %s cannot be served", self._file)
            return
        if empty:
            self._follower.away = "the store is empty, and the last good file is not"
        self._follower.take_over(found.tokens, found.adopted)
        self._follower.seen = time.monotonic() - max(0.0, now() - found.written)
        self._kept = self._published.spaces, self._follower.tokens
