"""A node: one process's view of a store. It follows the store, and it is the way to change it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.errors import NotFound, Overloaded, PreconditionFailed, StoreError
from allotment.server.auth.access import EVERYWHERE, Access, check_reach
from allotment.server.counters import Counters
from allotment.server.http.requests import min_revision
from allotment.server.sync.condition_check import check_commands
from allotment.server.sync.executor import Executor
from allotment.server.sync.follower import Follower
from allotment.server.sync.last_good import LastGoodWriter
from allotment.server.sync.project import shared
from allotment.server.sync.spaces import Served, Spaces
from allotment.server.sync.threads import Threads
from allotment.store import Committed, Once, Origin, Store, Stored

T = TypeVar("T")

WRITES_WAITING_MAX: Final = 2_048
READS_WAITING_MAX: Final = 2_048

# To make an earlier catalog again takes up to a second.
PAST_WAITING_MAX: Final = 16

# A provider of identities may take seconds, and each who signs in waits for it.
OUTSIDE_WAITING_MAX: Final = 64
_OUTSIDE: Final = 2

_READERS: Final = 4

# A client has given up by then; doing its work would only delay the others'. In seconds.
_WRITE_PATIENCE: Final = 30.0

# So long a change of the catalog waits for changes of tokens, in seconds.
_TOKENS_SECONDS: Final = 1.0

# The last good file is written at most so often, in seconds.
_SAVE_SECONDS: Final = 1.0

log: Final = logging.getLogger("allotment.server")

Read = Callable[[Stored], Sequence[Command]]


class Node:
    """Serves every space of a store, and goes on serving what it has while the store is away.

    `store` is an open one, or opens one: that is tried until it succeeds. `last_good` is the file
    that holds what was seen last, for a start without the store; in it `store_name` says whose it
    is. With `insecure_local` a caller that sends no token may do everything. What is published
    (`spaces`, `access`) is replaced and never changed, and a space never goes back to an earlier
    revision, unless an operator adopts a restored store.
    """

    def __init__(  # noqa: PLR0913  # each is a setting
        self,
        store: Store | Callable[[], Store],
        *,
        last_good: Path | None = None,
        store_name: str = "",
        poll_seconds: float = 0.05,
        now: Callable[[], float] = time.time,
        insecure_local: bool = False,
    ) -> None:
        self.draining = False
        self.insecure_local = insecure_local
        self.counters = Counters()
        self.threads = Threads(self.counters)
        self._now = now
        self._published = Spaces()
        access = partial(Access, now=now, insecure_local=insecure_local)
        self._follower = Follower(store, self._published, self.counters, access)
        self._watches = [self.threads.loop("watch", self._follower.look, poll_seconds)]
        self._keeper: LastGoodWriter | None = None
        if last_good is not None:
            self._keeper = LastGoodWriter(
                last_good, store_name, self._published, self._follower, self.counters
            )
            self._watches.append(self.threads.loop("save", self._keeper.save, _SAVE_SECONDS))
        self._writers = Executor("writes", 1, self.threads, WRITES_WAITING_MAX)
        self._tokens = Executor("tokens", 1, self.threads, WRITES_WAITING_MAX)
        self._readers = Executor("reads", _READERS, self.threads, READS_WAITING_MAX)
        self._past = Executor("past", 1, self.threads, PAST_WAITING_MAX)
        self._pages = Executor("pages", 1, self.threads, READS_WAITING_MAX)
        self._answers = Executor("answers", 1, self.threads)
        self._outside = Executor("outside", _OUTSIDE, self.threads, OUTSIDE_WAITING_MAX)
        self._turn = asyncio.Lock()
        self._next_look: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Load what the store has, or else what it had, and follow it from now on."""
        try:
            await asyncio.to_thread(self._follower.look)
        except StoreError as error:
            log.warning("the store is away at the start: %s", error)
        # Of a store that is empty, the last good file knows whether it should be.
        if self._keeper is not None and not any(each.revision for each in self.spaces.values()):
            await asyncio.to_thread(self._keeper.load, self._now)
        for watch in self._watches:
            watch.start()

    async def stop(self) -> None:
        """Finish the change under way, write the last good file, and let go of the store."""
        for watch in self._watches:
            await asyncio.to_thread(watch.stop)
        await asyncio.to_thread(self._writers.close)
        readers = (self._readers, self._past, self._pages, self._answers, self._outside)
        for executor in (self._tokens, *readers):
            await asyncio.to_thread(executor.close)
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.save_at_last)
        await asyncio.to_thread(self._follower.close)

    # What is served.

    @property
    def spaces(self) -> Mapping[str, Served]:
        """What is served, by the name of the space."""
        return self._published.spaces

    def on_publish(self, callback: Callable[[], None]) -> None:
        """Call this after each publish from now on, in whatever thread that is."""
        self._published.on_publish = callback

    @property
    def access(self) -> Access:
        """Who may call."""
        return self._follower.access

    @property
    def adopted(self) -> int:
        """When an operator last adopted the store, in milliseconds since 1970 UTC."""
        return self._follower.adopted or 0

    @property
    def diverged(self) -> bool:
        """Whether the store has another history than what is served; nothing is written then."""
        return self._follower.diverged

    @property
    def ready(self) -> bool:
        """Whether there is something to serve; being `draining` is another matter."""
        return bool(self.spaces) and self.access.known

    @property
    def age_seconds(self) -> float:
        """How long ago the store was last seen, and all that was new in it published."""
        return max(0.0, time.monotonic() - self._follower.seen)

    @property
    def writes_waiting(self) -> int:
        """How many changes wait for the one before them."""
        return self._writers.waiting

    def served(self, space: str) -> Served:
        """What is served of a space; NotFound for one that is not there."""
        served = self._published.spaces.get(space)
        if served is None:
            if not self.ready:
                raise StoreError("nothing is loaded yet; ask again soon")
            raise NotFound("there is no such space; `allotment space create` makes one")
        return served

    async def at_least(self, space: str, revision: int, patience: float = 1.0) -> None:
        """Return once the space is served at `revision` or later.

        Raises PreconditionFailed where the store has no such revision, Overloaded where it cannot
        be asked.
        """
        if self.served(space).revision >= revision:
            return
        try:
            await asyncio.wait_for(self.catch_up(), patience)
        except (StoreError, TimeoutError) as error:
            raise Overloaded("that revision is not here yet; ask again soon") from error
        if self.served(space).revision < revision:
            raise PreconditionFailed(
                "the space has no such revision yet", "headers.Allotment-Min-Revision"
            )

    async def serve_from(self, space: str, revision: bytes | None) -> Served:
        """What is served of a space, at least at what a header `Allotment-Min-Revision` names.

        Raises NotFound for a space that is not there, InvalidInput for no revision, and what
        `at_least` raises.
        """
        if revision is not None:
            await self.at_least(space, min_revision(revision.decode("latin-1")))
        return self.served(space)

    # The store.

    @property
    def store(self) -> Store:
        """The store; StoreError while it is away."""
        return self._follower.store

    def store_at(self, space: str) -> Store:
        """The store of a space; StoreError while it is away, NotFound for an unknown space."""
        return self._follower.at(space)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives, done off the event loop: for what asks the store."""
        return await self._readers.do(lambda: work(*arguments))

    async def rebuild(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives, one after the other: for catalogs as they were."""
        return await self._past.do(lambda: work(*arguments))

    async def show(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives, one after the other: for whole catalogs, so that one is shown once."""
        return await self._pages.do(lambda: work(*arguments))

    async def answer(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives: for what a change answers, which was made and is never refused."""
        return await self._answers.do(lambda: work(*arguments))

    async def outside(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives, done off the event loop: for what asks others than the store."""
        return await self._outside.do(lambda: work(*arguments))

    async def drop(self, held: list[Any]) -> None:
        """Empty a list in a thread: to free what a large body became takes a tenth of a second."""
        with suppress(Overloaded):
            await self._readers.do(held.clear)

    async def in_turn(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives, done between two changes: for what else is written to the store.

        SQLite gives its lock to the next that asks. Changes that follow one another would never let
        a change of a token have it.
        """
        return await self._writers.do(lambda: work(*arguments))

    async def change_tokens(self, work: Callable[[], T]) -> T:
        """What `work` gives, which this process honours by the time that this returns.

        It has a thread of its own: to admit or to revoke a token waits for no change
        and for no read.
        """

        def change() -> T:
            done = work()
            self._follower.look()
            return done

        return await self._tokens.do(change)

    async def catch_up(self) -> None:
        """Look at the store: what was committed before this call is published after it.

        A look under way may have begun too early; all who ask meanwhile share the one after it.
        """
        if self._next_look is None:
            self._next_look = asyncio.ensure_future(self._look_next())
        await asyncio.shield(self._next_look)

    async def _look_next(self) -> None:
        async with self._turn:
            self._next_look = None
            await self.run(self._follower.look)

    async def write(  # noqa: PLR0913  # the journal asks for most of them
        self,
        space: str,
        read: Read,
        *,
        dialect: str,
        who: str,
        policy: Policy = Policy.NATIVE,
        comment: str = "",
        reach: str = EVERYWHERE,
        once: Once | None = None,
    ) -> Committed:
        """Commit the commands that `read` makes of the latest state; publish what comes of it.

        `read` runs under the store's lock. A vendor's change of flags and layers is made in all
        spaces of the project that have them; `reach`, the spaces of the caller's token, must cover
        each. When this returns, this process answers from the new revisions. Changes are made one
        after the other, in a thread of their own.

        Raises what `read` and the change raise, StoreError while the store is away, Overloaded
        where too many changes wait.
        """
        self.served(space)
        _ = self.store  # fails at once while the store is away
        asked = time.monotonic()

        def build(states: Mapping[str, Stored]) -> Mapping[str, Sequence[Command]]:
            commands = read(states[space])
            check_commands(commands)
            others = {
                name: shared(commands, stored.catalog, policy)
                for name, stored in states.items()
                if name != space
            }
            changes = {space: commands, **{name: each for name, each in others.items() if each}}
            check_reach(reach, changes)
            return changes

        def write() -> Committed:
            self._let_tokens_pass()
            if time.monotonic() - asked > _WRITE_PATIENCE:
                raise Overloaded("the changes before this one took too long")
            when = datetime.fromtimestamp(self._now(), UTC)
            committed = self.store_at(space).change(
                build,
                Origin(who, when, dialect, comment, policy),
                whole_project=policy is not Policy.NATIVE,
                once=once,
            )
            for each in committed.values():
                self._published.publish(each.stored, each.change)
            return committed[space]

        return await self._writers.do(write)

    def _let_tokens_pass(self) -> None:
        """Wait while this process changes a token, a second at the most.

        SQLite gives its lock to the next one that asks, and changes that follow each other would
        keep it from the change of a token.
        """
        until = time.monotonic() + _TOKENS_SECONDS
        while self._tokens.waiting and time.monotonic() < until:
            time.sleep(0.001)
