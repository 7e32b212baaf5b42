"""One unit: what it gets in experiments, and what flags resolve to for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from typing import Final, TypeAlias

from msgspec import UNSET, UnsetType

from allotment.engine.evaluation import evaluate
from allotment.engine.evaluation import shown as dealt
from allotment.errors import InvalidInput
from allotment.model.assignment import Assignment, Resolution
from allotment.server.assign.bodies import AssignRequest, ResolveRequest
from allotment.server.assign.effort import Size, effort
from allotment.server.assign.shown import Shown
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.answer import Ready
from allotment.server.http.limits import ON_LOOP, SMALL_BYTES
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.spaces import Served

# So many take a few milliseconds, which the event loop can spare; more are asked in a thread.
MANY: Final = 2_000

_Answers: TypeAlias = Collection[Assignment]
_Resolved: TypeAlias = tuple[Resolution, Assignment | None]


class OneUnit:
    """Answers for one unit at a time, and logs the treatments that it hands out.

    An answer that no sticky assignment has a part in is ready at once.
    """

    def __init__(self, exposures: ExposureLog | None, keeping: StickyAssignments) -> None:
        self._log = exposures.log if exposures is not None and exposures.on else None
        self._keeping = keeping

    def assign(self, shown: Shown, asked: AssignRequest, text: bytes) -> Ready | Awaitable[Ready]:
        """The assignments that were asked for; `text` is the request as it is written."""
        served = shown.served
        if asked.experiment is not UNSET and asked.experiments is UNSET:
            if len(text) > SMALL_BYTES or asked.experiment in served.heavy:
                return self._assign_many(shown, asked, (asked.experiment,), text)
            own = asked.stored.get(asked.experiment) if asked.stored else None
            given = served.engine.assign(asked.experiment, asked.unit, asked.attributes, own)
            assert isinstance(given, Assignment)
            if own is None and asked.experiment in served.keeping:
                return self._settle(shown, asked, (given,))
            if self._log is not None:
                self.expose(shown, asked, (given,))
            return shown.assignment(given)
        plans = served.engine.snapshot.plans
        keys = _keys(asked.experiment, asked.experiments, plans, "experiment")
        if len(keys) > MANY or len(text) > SMALL_BYTES or _cost(shown, asked, keys, text) > ON_LOOP:
            return self._assign_many(shown, asked, keys, text)
        if keys is plans and not (asked.stored or served.keeping or self._log is not None):
            return shown.all(served.engine.assign_all_json(asked.unit, asked.attributes))
        answers = _assigned(served, asked, keys)
        if served.keeping:
            return self._settle(shown, asked, answers)
        return self._show(shown, asked, answers)

    async def _assign_many(
        self, shown: Shown, asked: AssignRequest, keys: Collection[str], text: bytes
    ) -> Ready:
        def assigned() -> _Answers:
            _cost(shown, asked, keys, text)
            return _assigned(shown.served, asked, keys, turns=b"[" in text)

        answers = await self._keeping.in_thread(assigned)
        if shown.served.keeping:
            answers = await self._settled(shown.served, asked, answers, long=True)
        return await self._keeping.in_thread(lambda: self._show(shown, asked, answers))

    async def _settle(self, shown: Shown, asked: AssignRequest, answers: _Answers) -> Ready:
        return self._show(shown, asked, await self._settled(shown.served, asked, answers))

    async def _settled(
        self, served: Served, asked: AssignRequest, answers: _Answers, *, long: bool = False
    ) -> _Answers:
        """The answers, once what is kept is known; what the client keeps itself is left to it."""
        own = asked.stored or {}
        open_ = [e for e in answers if e.experiment in served.keeping and e.experiment not in own]
        settled = await self._keeping.settle(served, asked.unit, asked.attributes, open_, long=long)
        return [settled.get(each.experiment, each) for each in answers]

    def _show(self, shown: Shown, asked: AssignRequest, answers: _Answers) -> Ready:
        self.expose(shown, asked, answers)
        return shown.assignments(answers)

    def resolve(self, shown: Shown, asked: ResolveRequest, text: bytes) -> Ready | Awaitable[Ready]:
        """The flags' values that were asked for; `text` is the request as it is written."""
        served, flag = shown.served, asked.flag
        if (
            flag is not UNSET
            and asked.flags is UNSET
            and (_is_quick(served, flag, text) or not is_long(shown, (flag,), text))
        ):
            if served.keeping and _keeps(served, flag):
                return self._resolve_kept(shown, asked, (flag,))
            resolution, given = _resolved(served, asked, flag)
            if given is None:
                return shown.resolution(resolution, None)
            if self._log is not None:
                self.expose(shown, asked, (given,))
            return shown.resolution(resolution, given.treatment)
        keys = _keys(flag, asked.flags, served.engine.catalog.flags, "flag")
        long = is_long(shown, keys, text)
        if served.keeping and any(_keeps(served, key) for key in keys):
            return self._resolve_kept(shown, asked, keys, long=long)
        if long:
            return self._keeping.in_thread(lambda: self._resolve(shown, asked, keys))
        return self._resolve(shown, asked, keys)

    def _resolve(self, shown: Shown, asked: ResolveRequest, keys: Collection[str]) -> Ready:
        return self._show_resolved(
            shown, asked, [_resolved(shown.served, asked, key) for key in keys]
        )

    async def _resolve_kept(
        self, shown: Shown, asked: ResolveRequest, keys: Collection[str], *, long: bool = False
    ) -> Ready:
        served, ask = shown.served, self._keeping.resolve
        keeping = [key for key in keys if _keeps(served, key)]
        asks = (ask(served, key, asked.unit, asked.attributes, long=long) for key in keeping)
        kept = dict(zip(keeping, await asyncio.gather(*asks), strict=True))

        def show() -> Ready:
            resolved = [kept.get(key) or _resolved(served, asked, key) for key in keys]
            return self._show_resolved(shown, asked, resolved)

        return await self._keeping.in_thread(show) if long else show()

    def _show_resolved(
        self, shown: Shown, asked: ResolveRequest, resolved: Collection[_Resolved]
    ) -> Ready:
        if self._log is not None:
            given = (each for _, each in resolved if each is not None)
            self.expose(shown, asked, given)
        return shown.resolutions(
            [(each, given.treatment if given else None) for each, given in resolved]
        )

    def expose(
        self, shown: Shown, asked: AssignRequest | ResolveRequest, given: Iterable[Assignment]
    ) -> None:
        """Log every answer that comes with a treatment, where answers are logged."""
        if self._log is None:
            return
        engine = shown.served.engine
        for each in given:
            if each.treatment is not None:
                kind, key, allocation = dealt(engine, each, asked.unit, asked.attributes)
                self._log(shown.served.space, kind, key, each, allocation)


def _cost(shown: Shown, asked: AssignRequest, keys: Collection[str], text: bytes) -> int:
    return effort(shown, keys, Size.of(text, lists=asked.experiments is not UNSET))


def _is_quick(served: Served, flag: str, text: bytes) -> bool:
    """Whether `is_long` need not be asked: a small request for a flag of one light experiment."""
    noun = served.engine.catalog.flags.get(flag)
    if noun is None or len(noun.experiments) > 1 or len(text) > SMALL_BYTES:
        return False
    return all(each.experiment not in served.heavy for each in noun.experiments)


def is_long(shown: Shown, flags: Collection[str], text: bytes | bytearray) -> bool:
    """Whether it may take longer than the event loop can spare to resolve these flags."""
    known = shown.served.engine.catalog.flags
    nouns = [known[key] for key in flags if key in known]
    experiments = [each.experiment for noun in nouns for each in noun.experiments]
    many = len(flags) + len(experiments) > MANY or len(text) > SMALL_BYTES
    return effort(shown, experiments, Size.of(text, lists=len(flags) != 1)) > ON_LOOP or many


def _assigned(
    served: Served, asked: AssignRequest, keys: Collection[str], *, turns: bool = False
) -> _Answers:
    """The answers; with `turns` other threads have theirs between two experiments."""
    engine, unit, attributes = served.engine, asked.unit, asked.attributes
    if keys is engine.snapshot.plans and not asked.stored and not turns:
        return engine.assign_all(unit, attributes).values()
    own = (asked.stored or {}).get
    return [engine.assign(key, unit, attributes, own(key)) for key in keys]


def _resolved(served: Served, asked: ResolveRequest, key: str) -> _Resolved:
    """A flag's value, and the assignment that it came from."""
    return evaluate(served.engine, key, asked.unit, asked.attributes)


def _keeps(served: Served, flag: str) -> bool:
    """Whether one of a flag's experiments keeps assignments."""
    noun = served.engine.catalog.flags.get(flag)
    return noun is not None and any(e.experiment in served.keeping for e in noun.experiments)


def _keys(
    one: str | UnsetType, some: list[str] | UnsetType, all_: Collection[str], noun: str
) -> Collection[str]:
    """What was named, each once; all where nothing was."""
    if one is UNSET:
        return all_ if some is UNSET else dict.fromkeys(some)
    if some is not UNSET:
        raise InvalidInput(f"name one `{noun}` or several `{noun}s`, not both", f"$.{noun}")
    return (one,)
