"""Batches concurrent lookups of sticky assignments into one store transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from allotment.errors import AllotmentError, StoreError
from allotment.server.sync.executor import Executor
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.store import StickyKey, StickyTreatment

# An assignment waits no longer for the store, in seconds. No request joins a store call that has
# taken so long already: the store hangs, and would hold up every answer.
_PATIENCE: Final = 1.0

# Each is a request that waits.
_WAITING_MAX: Final = 4_096

# Another node, at another revision, may keep what this one's iteration does not have; then one more
# is kept behind that. More often in a row it does not happen.
_TURNS: Final = 3

log: Final = logging.getLogger("allotment.server")


class Found(NamedTuple):
    """The treatment that counts of those the store keeps.

    fresh  whether it was not kept before the store was asked
    all    every treatment that is kept, in the order of keeping; () where that was not asked
    """

    treatment: str
    fresh: bool
    all: tuple[str, ...] = ()


# What is wanted of the store: what it keeps for a lot, or else that it keeps this from now on.
Wanted: TypeAlias = Mapping[StickyKey, str | None]

_Group: TypeAlias = tuple[str, int]  # a space, and the revision that decided


class _Wish(NamedTuple):
    served: Served
    wanted: Wanted
    answer: asyncio.Future[Mapping[StickyKey, Found] | None]

    @property
    def group(self) -> _Group:
        return self.served.space, self.served.revision


class StickyBatcher:
    """Asks the store in a thread of its own, for all who wait at once: one commit for them all."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = Executor("kept", 1, node.threads)
        self._waiting: list[_Wish] = []
        self._way: asyncio.Future[None] | None = None
        self._began: float | None = None
        self._failing = False

    def close(self) -> None:
        """Finish what is under way."""
        self._executor.close()

    async def ask(self, served: Served, wanted: Wanted) -> Mapping[StickyKey, Found] | None:
        """What the store keeps of what is wanted; None where it cannot be asked now.

        What is given up because it took too long may be kept all the same.
        """
        loop = asyncio.get_running_loop()
        late = self._began is not None and loop.time() - self._began > _PATIENCE
        if late or len(self._waiting) >= _WAITING_MAX or not self._is_there():
            return None
        wish = _Wish(served, wanted, loop.create_future())
        self._waiting.append(wish)
        if self._way is None or self._way.done():
            self._way = asyncio.ensure_future(self._go())
        try:
            return await asyncio.wait_for(wish.answer, _PATIENCE)
        except TimeoutError:
            return None

    def _is_there(self) -> bool:
        try:
            return self._node.store is not None
        except StoreError:
            return False

    async def _go(self) -> None:
        """Run transactions until no lookup waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            wishes, self._waiting = self._waiting, []
            ask = partial(self._ask, _grouped(wishes))
            found: Mapping[_Group, Mapping[StickyKey, Found]] = {}
            self._began = loop.time()
            try:
                found = await self._executor.do(ask)
            finally:
                self._began = None
                for wish in wishes:
                    if not wish.answer.done():
                        wish.answer.set_result(found.get(wish.group))

    def _ask(
        self, groups: Mapping[_Group, tuple[Served, Wanted]]
    ) -> dict[_Group, Mapping[StickyKey, Found]]:
        """What the store keeps for each group; one that it cannot be asked for is left out."""
        found: dict[_Group, Mapping[StickyKey, Found]] = {}
        for group, (served, wanted) in groups.items():
            try:
                found[group] = self._kept(served, wanted)
            except Exception as error:  # an assignment never fails for this
                if not self._failing:
                    known = isinstance(error, AllotmentError)
                    message = "assignments cannot be kept now, and are answered all the same: %s"
                    log.error(message, error, exc_info=None if known else error)
                self._failing = True
                self._node.counters.failures["kept"] += 1
            else:
                if self._failing:
                    log.warning("assignments are kept again")
                self._failing = False
        return found

    def _kept(self, served: Served, wanted: Wanted) -> Mapping[StickyKey, Found]:
        store, count = self._node.store_at(served.space), self._node.counters.sticky
        kept = store.sticky(wanted)
        found = _standing(served, kept, {})
        count["read"] += len(found)
        for _ in range(_TURNS):
            new = {key: t for key, t in wanted.items() if t is not None and key not in found}
            if not new:
                break
            behind = {key: kept[key] for key in new if key in kept}
            kept = store.keep(new, revision=served.revision, when=datetime.now(UTC), behind=behind)
            count["kept"] += len(new) - len(behind)
            count["replaced"] += len(behind)
            found |= _standing(served, kept, new)
        return found


def _standing(
    served: Served, kept: Mapping[StickyKey, StickyTreatment], new: Mapping[StickyKey, str]
) -> dict[StickyKey, Found]:
    """What counts of all that is kept; fresh where it is what is new."""
    plans = served.engine.snapshot.plans
    return {
        key: Found(standing.treatment, standing.treatment == new.get(key), each.treatments)
        for key, each in kept.items()
        if (standing := each.standing(plans[key.experiment].names)) is not None
    }


def _grouped(wishes: Sequence[_Wish]) -> Mapping[_Group, tuple[Served, Wanted]]:
    """What all of them want together: of two treatments for one key, the first is to be kept."""
    groups: dict[_Group, tuple[Served, dict[StickyKey, str | None]]] = {}
    for wish in wishes:
        _, group = groups.setdefault(wish.group, (wish.served, {}))
        for key, treatment in wish.wanted.items():
            if group.get(key) is None:
                group[key] = treatment
    return groups
