"""Follows a store: publishes what is new, and knows whether the store is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from allotment.errors import StoreError
from allotment.server.auth.access import Access
from allotment.server.counters import Counters
from allotment.server.sync.spaces import Served, Spaces
from allotment.store import OTHER_HISTORY, Head, Store, Token
from allotment.store.lineage import check_continues

# A pulse takes a millisecond. A store that holds one back so long hangs, and would hold back all
# else that is asked of it.
_SILENCE_SECONDS: Final = 1.0

log: Final = logging.getLogger("allotment.server")


class Follower:
    """The store, as far as it can be reached, and the tokens in it.

    `store` is an open one, or opens one: that is tried at every look until it succeeds. `access`
    says who may call, given the tokens.
    """

    def __init__(
        self,
        store: Store | Callable[[], Store],
        published: Spaces,
        counters: Counters,
        access: Callable[[Iterable[Token] | None], Access],
    ) -> None:
        self.access = access(None)
        self.tokens: tuple[Token, ...] = ()
        self.seen = time.monotonic()  # when a look last found all that is new
        self.away = ""  # why the store cannot be asked now
        self.diverged = False  # whether that is since it has another history than what is served
        self._asked: float | None = None  # since when its pulse is awaited
        self._open = store
        self._store: Store | None = None
        self._stores: dict[str, Store] = {}
        self._tokens_seen: int | None = None
        self.adopted: int | None = None  # as in the pulse that was followed last
        self._published = published
        self._counters = counters
        self._access = access
        self._looking = threading.Lock()

    @property
    def store(self) -> Store:
        """The store; StoreError while it is away, or does not answer."""
        asked = self._asked
        if asked is not None and time.monotonic() - asked > _SILENCE_SECONDS:
            raise StoreError("the store does not answer")
        if self._store is None or self.away:
            raise StoreError(self.away or "the store is not open yet")
        return self._store

    def at(self, space: str) -> Store:
        """The store of a space; StoreError while it is away, NotFound for an unknown space."""
        store = self.store
        if space not in self._stores:
            self._stores[space] = store.at(space)
        return self._stores[space]

    def look(self) -> None:
        """See what is new in the store and publish it. Blocks.

        Raises StoreError where the store is away, or where something in it cannot be read; what
        can be read is published all the same.
        """
        with self._looking:
            began, before = time.monotonic(), self._published.spaces
            try:
                heads = self._pulse(before)
                self.away = ""
            except StoreError as error:
                self._fail(error, is_away=True)
                raise
            failures: list[Exception] = []
            for space, head in heads.items():
                try:
                    if space not in before or before[space].revision < head.revision:
                        self._published.publish(self.at(space).read())
                except Exception as error:  # noqa: BLE001  # the other spaces are published
                    failures.append(error)
            if failures:
                self._fail(failures[0], is_away=False)
                raise failures[0]
            self.seen, self.diverged = began, False

    def take_over(self, tokens: tuple[Token, ...], adopted: int) -> None:
        """Honour these tokens, and no others, until the store is seen next."""
        if self.access.known:
            log_changes(self.tokens, tokens)
        self.tokens = tokens
        self.access = self._access(tokens)
        self._tokens_seen = None
        self.adopted = adopted

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def _fail(self, error: Exception, *, is_away: bool) -> None:
        """Note that a look failed; a store with another history is not asked, nor written to."""
        self._counters.looks_failed += 1
        self.diverged = isinstance(error, StoreError) and error.code == OTHER_HISTORY
        if is_away or self.diverged:
            self.away = str(error)

    def _pulse(self, before: Mapping[str, Served]) -> Mapping[str, Head]:
        """The latest revision of every space; tokens that are new are taken over.

        Raises StoreError for a store that has another history than what was served `before` it was
        asked: what it says, of tokens too, is not of this store, and what would be written to it
        would be lost. Where an operator has said since that it is right, it is loaded whole.
        """
        if self._store is None:
            self._store = self._open() if callable(self._open) else self._open
        self._asked = time.monotonic()
        try:
            pulse = self._store.pulse()
        finally:
            self._asked = None
        if self.adopted is not None and pulse.adopted > self.adopted:
            log.warning("an operator adopted the store: all of it is loaded")
            every = [self._store.at(space).read_whole() for space in pulse.heads]
            self._published.replace(every)
        else:
            for space, served in before.items():
                check_continues(space, served.stored.head, pulse.heads.get(space, Head()))
        if pulse.tokens != self._tokens_seen or pulse.adopted != self.adopted:
            self.take_over(self._store.tokens(), pulse.adopted)
            self._tokens_seen = pulse.tokens
        return pulse.heads


def log_changes(before: Iterable[Token], tokens: Iterable[Token]) -> None:
    """Log what happened to the tokens of a store, and who did it, on whatever way."""
    old = {token.id: token for token in before}
    new = {token.id: token for token in tokens}
    for token in new.values():
        known = old.get(token.id)
        if known is None:
            _log("a token is made", {**token.about, "by": token.created_by})
        if token.revoked_at is not None and (known is None or known.revoked_at is None):
            _log("a token is revoked", {**token.about, "by": token.revoked_by})
    for token in old.values():
        if token.id not in new:
            _log("a token is no longer in the store", token.about)


def _log(event: str, fields: Mapping[str, str]) -> None:
    log.info(event, extra={"fields": fields})
