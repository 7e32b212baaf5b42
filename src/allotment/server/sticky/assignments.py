"""Answers as they are once what is kept is known, and what is new is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, TypeVar

from allotment.model.assignment import Assignment, Reason, Resolution
from allotment.server.sticky.batcher import Found, StickyBatcher, Wanted
from allotment.server.sticky.cache import StickyCache
from allotment.server.sticky.key import sticky_key_of
from allotment.server.sync.executor import Executor
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.store import StickyKey

T = TypeVar("T")

Unit: TypeAlias = str | int | Mapping[str, str | int]
Attributes: TypeAlias = Mapping[str, Any] | None

# So that one long request does not wait for another; more would only fight for the interpreter.
_THREADS: Final = 2

# As many as there are texts of answers.
_ANSWERS_MAX: Final = 65_536


class StickyAssignments:
    """Asks what the store keeps, and has it keep what is given first.

    Only experiments among `Served.keeping` have anything to do with it. It lives on the event loop;
    the store is asked in a thread. Where it is away, an answer is what it would be if nothing were
    kept, and says `to_keep`.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._batcher = StickyBatcher(node)
        self._executor = Executor("assignments", _THREADS, node.threads)
        self._counters = node.counters
        self._cache = StickyCache()
        self._adopted = node.adopted
        self._first: dict[tuple[int, int], tuple[Assignment, Assignment]] = {}

    def close(self) -> None:
        """Finish what is under way."""
        self._batcher.close()
        self._executor.close()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What `work` gives: for assignments that would keep the event loop; no read delays it."""
        return await self._executor.do(work)

    async def settle(
        self,
        served: Served,
        unit: Unit,
        attributes: Attributes,
        given: Iterable[Assignment],
        *,
        long: bool = False,
    ) -> dict[str, Assignment]:
        """By experiment, the answers to give in place of those that the engine gave by itself.

        With `long` the engine is asked in a thread.
        """
        settled = {each.experiment: each for each in given}
        sticky_keys = {key: _sticky_key(served, each, unit) for key, each in settled.items()}
        found = await self.look(
            served,
            {
                sticky_key: _to_keep(settled[key])
                for key, sticky_key in sticky_keys.items()
                if sticky_key is not None
            },
        )
        for key, sticky_key in sticky_keys.items():
            if sticky_key is not None and sticky_key in found:
                settled[key] = await self._settled(
                    served, unit, attributes, settled[key], found[sticky_key], long=long
                )
        return settled

    async def resolve(
        self,
        served: Served,
        flag: str,
        unit: Unit,
        attributes: Attributes,
        *,
        long: bool = False,
    ) -> tuple[Resolution, Assignment | None]:
        """A flag's value for a unit, and the assignment that it comes from.

        Only that one is kept: what the flag's other experiments would give is not handed out. With
        `long` the engine is asked in a thread.
        """
        engine = served.engine
        stored = await self._stored(served, flag, unit, attributes, long=long)
        while True:
            resolution = await self._do(long, engine.resolve, flag, unit, attributes, stored)
            key = resolution.experiment
            if key is None:
                return resolution, None
            given = await self._do(long, engine.assign, key, unit, attributes, stored.get(key))
            assert isinstance(given, Assignment)
            given = self._named(served, given)
            sticky_key = (
                _sticky_key(served, given, unit) if given.to_keep and key not in stored else None
            )
            found = (
                {} if sticky_key is None else await self.look(served, {sticky_key: given.treatment})
            )
            if sticky_key is None or sticky_key not in found:
                return resolution, given
            if _is_own(found[sticky_key], given):
                return resolution, self._kept(given)
            stored[key] = found[sticky_key].treatment

    async def look(self, served: Served, wanted: Wanted) -> dict[StickyKey, Found]:
        """What is kept of what is wanted; nothing where the store cannot say."""
        if self._adopted != self._node.adopted:  # the store has other rows now
            self._adopted, self._cache = self._node.adopted, StickyCache()
        found: dict[StickyKey, Found] = {}
        missing: dict[StickyKey, str | None] = {}
        plans = served.engine.snapshot.plans
        for sticky_key, treatment in wanted.items():
            names = plans[sticky_key.experiment].names
            known = self._cache.get(served.space, sticky_key, names)
            if known is None:
                missing[sticky_key] = treatment
            else:
                found[sticky_key] = Found(known, fresh=False)
        if missing:
            stored = await self._batcher.ask(served, missing)
            if stored is None:
                self._counters.sticky["away"] += len(missing)
            for sticky_key, each in (stored or {}).items():
                if sticky_key in missing:
                    found[sticky_key] = each
                    self._cache.add(served.space, sticky_key, each.all)
        return found

    async def _stored(
        self, served: Served, flag: str, unit: Unit, attributes: Attributes, *, long: bool
    ) -> dict[str, str]:
        """What is kept for the unit in those experiments of a flag that keep assignments."""
        noun = served.engine.catalog.flags.get(flag)
        places = () if noun is None else noun.experiments
        wanted: dict[StickyKey, str | None] = {}
        for key in {each.experiment for each in places} & served.keeping:
            given = await self._do(long, served.engine.assign, key, unit, attributes)
            assert isinstance(given, Assignment)
            if (sticky_key := _sticky_key(served, given, unit)) is not None:
                wanted[sticky_key] = None
        found = await self.look(served, wanted)
        return {sticky_key.experiment: each.treatment for sticky_key, each in found.items()}

    async def _settled(  # noqa: PLR0913  # what `settle` knows
        self,
        served: Served,
        unit: Unit,
        attributes: Attributes,
        given: Assignment,
        found: Found,
        *,
        long: bool,
    ) -> Assignment:
        if _is_own(found, given):
            return self._kept(given)
        again = await self._do(
            long, served.engine.assign, given.experiment, unit, attributes, found.treatment
        )
        assert isinstance(again, Assignment)
        return self._named(served, again)

    async def _do(self, long: bool, work: Callable[..., T], *arguments: object) -> T:
        """What `work` gives; in a thread, where the event loop cannot spare the time."""
        return await self.in_thread(lambda: work(*arguments)) if long else work(*arguments)

    def _kept(self, given: Assignment) -> Assignment:
        """The same answer, now that it is kept."""
        return self._changed(given, given.revision, to_keep=False)

    def _named(self, served: Served, given: Assignment) -> Assignment:
        """A sticky answer names the revision served.

        What is kept now counts at that one, and may not have at the one the plan is of.
        """
        if given.reason is not Reason.STICKY:
            return given
        return self._changed(given, served.revision, to_keep=False)

    def _changed(self, given: Assignment, revision: int, *, to_keep: bool) -> Assignment:
        """The same answer with another revision; one object for each, as the engine has it."""
        known = self._first.get((id(given), revision))
        if known is None:
            if len(self._first) >= _ANSWERS_MAX:
                self._first.clear()
            # The answer is held, so that no other object takes its identity.
            changed = replace(given, revision=revision, to_keep=to_keep)
            known = self._first[id(given), revision] = (given, changed)
        return known[1]


def _sticky_key(served: Served, given: Assignment, unit: Unit) -> StickyKey | None:
    if given.experiment not in served.keeping:
        return None
    return sticky_key_of(served.engine.catalog.experiments[given.experiment], given, unit)


def _to_keep(given: Assignment) -> str | None:
    return given.treatment if given.to_keep else None


def _is_own(found: Found, given: Assignment) -> bool:
    """Whether what the store keeps now is what was given just now, and not before."""
    return found.fresh and found.treatment == given.treatment
