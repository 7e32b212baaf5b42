"""Following a server: one background thread, which of the application runs callbacks only.

The thread has an event loop of its own. Two tasks run there: one listens to the server's stream of
revisions, and one asks what has changed, when the stream says so and from time to time in any case,
as a proxy may hold the stream back. After a failure both wait longer each time, and each client for
a random part of that, so that a server that comes back is not met by all of them at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from allotment.change.sent import digest_of, long_lists, named_lists, read
from allotment.client.address import Address
from allotment.client.current import Current
from allotment.client.last_good import LastGoodFile
from allotment.client.server import Server, Unreachable
from allotment.compile import Snapshot, compile_catalog, recompile
from allotment.errors import AllotmentError, StoreError
from allotment.model.bulk import without_collecting
from allotment.model.catalog import Catalog

log: Final = logging.getLogger("allotment.client")

# How long to wait after the first failure and at the most, in seconds.
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0

# Changes that come faster are published together: callers wait while one is compiled.
_APART_SECONDS: Final = 0.01

# The last good file is written at most so often.
_SAVE_SECONDS: Final = 10.0


class Following:
    """Keeps `current` at what the server has, and has `publish` take each new snapshot."""

    def __init__(
        self,
        address: Address,
        file: LastGoodFile | None,
        poll_seconds: float,
        current: Current,
        publish: Callable[[Snapshot], None],
    ) -> None:
        self._address = address
        self._file = file
        self._poll_seconds = poll_seconds
        self._now = current
        self._publish = publish
        self._whole = False  # the whole catalog is asked for next
        self._saved: Catalog | None = None
        self._save_at = 0.0
        self._ended = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to follow, in a new thread; in a forked process too, which has none of its own."""
        if self._ended:
            return
        self._loop = None
        self._thread = threading.Thread(target=self._main, name="allotment-client", daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> None:
        """End the thread, and wait for that at most so many seconds; any number of times."""
        self._ended = True
        loop, thread = self._loop, self._thread
        if loop is not None:
            with suppress(RuntimeError):  # it has just closed
                loop.call_soon_threadsafe(self._end.set)
        if thread is not None and thread is not threading.current_thread():
            thread.join(patience)

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception:
            log.exception("the client follows its server no more")
            self._now.fail(StoreError("the thread that follows the server has failed"))

    async def _run(self) -> None:
        self._end, self._news = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._ended:
            return
        server = Server(self._address)
        tasks = [asyncio.create_task(each(server)) for each in (self._keep_asking, self._listen)]
        try:
            ended = asyncio.create_task(self._end.wait())
            await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.close()
            self._save(soon=True)

    async def _keep_asking(self, server: Server) -> None:
        failed = 0
        while True:
            try:
                await self._catch_up(server)
                failed, pause = 0, self._poll_seconds * random.uniform(0.8, 1.2)
            except AllotmentError as error:
                self._now.fail(error)
                pause = wait_after(failed := failed + 1)
            except Exception as error:
                log.exception("what the server sent cannot be taken")
                self._now.fail(StoreError(f"what the server sent cannot be taken: {error}"))
                pause, self._whole = wait_after(failed := failed + 1), True
            self._save()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)
            self._news.clear()
            await asyncio.sleep(_APART_SECONDS)

    async def _listen(self, server: Server) -> None:
        failed = 0
        while True:
            try:
                async for revision in server.revisions():
                    failed = 0
                    if revision is not None and revision > self._now.snapshot.revision:
                        self._news.set()
                    elif not self._news.is_set():
                        self._now.hear()
            except AllotmentError as error:  # the other task says what is wrong, if anything is
                log.debug("the stream has ended: %s", error)
                if failed and isinstance(error, Unreachable):
                    self._news.set()
            await asyncio.sleep(wait_after(failed := failed + 1))

    async def _catch_up(self, server: Server) -> None:
        """Take what has changed since the snapshot; raises AllotmentError where that fails."""
        current = self._now
        old = None if self._whole or current.source == "none" else current.snapshot
        revision, lineage = (0, "") if old is None else (old.revision, current.lineage)
        changes = await server.changes(revision, lineage)
        if changes is None:
            current.confirm()
            return
        lists = await self._lists(server, changes, old)
        with without_collecting():
            base = None if old is None else old.catalog
            catalog, touched = read(base, changes, lists.__getitem__)
        if catalog.revision < current.snapshot.revision:
            raise StoreError(
                f"the server is at revision {catalog.revision}, behind the"
                f" {current.snapshot.revision} that is served here; this never goes back"
            )
        if old is None or touched is None:
            snapshot = compile_catalog(catalog)
        else:
            snapshot = recompile(old, catalog, *touched)
        if f"{snapshot.fingerprint:032x}" != changes.get("fingerprint"):
            # A release of another fingerprint may send a whole catalog that is right all the same.
            log.warning("revision %d has another fingerprint than the server's", catalog.revision)
            if changes.get("since") is not None:
                self._whole = True
                raise StoreError("what has changed does not lead to the server's catalog")
        self._whole = False
        self._publish(snapshot)
        current.take(snapshot, str(changes.get("lineage", "")), "server")

    async def _lists(
        self, server: Server, changes: dict[str, Any], old: Snapshot | None
    ) -> dict[str, bytes]:
        """The texts of the long lists that the changes name, each of which travels once."""
        named = set(named_lists(changes))
        if not named:
            return {}
        known = () if old is None else long_lists(old.catalog)
        texts = {digest: ids.text for ids in known if (digest := digest_of(ids)) in named}
        for digest in named - texts.keys():
            texts[digest] = await server.list(digest)
        return texts

    def _save(self, *, soon: bool = False) -> None:
        """Write the last good file if there is something new; not too often."""
        current = self._now
        catalog = current.snapshot.catalog
        if self._file is None or current.source != "server" or catalog is self._saved:
            return
        if not soon and time.monotonic() < self._save_at:
            return
        try:
            self._file.save(catalog, current.lineage)
        except OSError as error:
            log.warning("the last good file cannot be written: %s", error)
        self._saved, self._save_at = catalog, time.monotonic() + _SAVE_SECONDS


def wait_after(failures: int) -> float:
    """How many seconds to wait after so many failures in a row: a random part of ever more."""
    return random.uniform(0.0, min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 10)))
