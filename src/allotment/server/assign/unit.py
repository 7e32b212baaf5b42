"""One unit: what it gets in experiments, and what flags resolve to for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from typing import Final, cast

from msgspec import UNSET, UnsetType

from allotment.errors import InvalidInput
from allotment.model.assignment import Assignment
from allotment.model.resolution import Resolution
from allotment.server.assign.asked import AssignAsked, ResolveAsked, Unit
from allotment.server.assign.shown import Ready, Shown
from allotment.server.exposures import Exposures

# So many take a few milliseconds, which the event loop can spare; more are asked in a thread.
_MANY: Final = 2_000


class OneUnit:
    """Answers for one unit at a time, and logs the treatments that it hands out."""

    def __init__(self, exposures: Exposures | None) -> None:
        self._log = exposures.log if exposures is not None and exposures.on else None

    def assign(self, shown: Shown, asked: AssignAsked) -> Ready | Awaitable[Ready]:
        """The assignments that were asked for."""
        if asked.experiment is not UNSET and asked.experiments is UNSET:
            kept = asked.stored.get(asked.experiment) if asked.stored else None
            engine = shown.served.engine
            given = engine.assign(asked.experiment, asked.unit, asked.attributes, kept)
            assert isinstance(given, Assignment)
            if self._log is not None:
                self._expose(shown, asked.unit, (given,))
            return shown.assignment(given)
        plans = shown.served.engine.snapshot.plans
        keys = _keys(asked.experiment, asked.experiments, plans, "experiment")
        if len(keys) > _MANY:
            return asyncio.to_thread(self._assign, shown, asked, keys)
        return self._assign(shown, asked, keys)

    def _assign(self, shown: Shown, asked: AssignAsked, keys: Collection[str]) -> Ready:
        engine, unit, attributes = shown.served.engine, asked.unit, asked.attributes
        if keys is engine.snapshot.plans and not asked.stored:
            given = cast(Collection[Assignment], engine.assign_all(unit, attributes).values())
        else:
            kept = (asked.stored or {}).get
            answers = [engine.assign(key, unit, attributes, kept(key)) for key in keys]
            given = cast(Collection[Assignment], answers)
        if self._log is not None:
            self._expose(shown, unit, given)
        return shown.assignments(given)

    def resolve(self, shown: Shown, asked: ResolveAsked) -> Ready | Awaitable[Ready]:
        """The flags' values that were asked for."""
        if asked.flag is not UNSET and asked.flags is UNSET:
            return shown.resolution(*self._resolved(shown, asked, asked.flag))
        keys = _keys(asked.flag, asked.flags, shown.served.engine.catalog.flags, "flag")
        if len(keys) > _MANY:
            return asyncio.to_thread(self._resolve, shown, asked, keys)
        return self._resolve(shown, asked, keys)

    def _resolve(self, shown: Shown, asked: ResolveAsked, keys: Collection[str]) -> Ready:
        return shown.resolutions([self._resolved(shown, asked, key) for key in keys])

    def _resolved(
        self, shown: Shown, asked: ResolveAsked, key: str
    ) -> tuple[Resolution, str | None]:
        """A flag's value, and the treatment that it came from."""
        engine = shown.served.engine
        resolution = engine.resolve(key, asked.unit, asked.attributes)
        if resolution.experiment is None:
            return resolution, None
        given = engine.assign(resolution.experiment, asked.unit, asked.attributes)
        assert isinstance(given, Assignment)
        if self._log is not None:
            self._expose(shown, asked.unit, (given,))
        return resolution, given.treatment

    def _expose(self, shown: Shown, unit: Unit, given: Iterable[Assignment]) -> None:
        """Log every answer that comes with a treatment."""
        assert self._log is not None
        experiments = shown.served.engine.catalog.experiments
        for each in given:
            if each.treatment is not None:
                kind = experiments[each.experiment].unit
                key = unit[kind] if isinstance(unit, dict) else unit
                self._log(shown.served.space, kind, key, each)


def _keys(
    one: str | UnsetType, some: list[str] | UnsetType, all_: Collection[str], noun: str
) -> Collection[str]:
    """What was named, each once; all where nothing was."""
    if one is UNSET:
        return all_ if some is UNSET else dict.fromkeys(some)
    if some is not UNSET:
        raise InvalidInput(f"name one `{noun}` or several `{noun}s`, not both", f"$.{noun}")
    return (one,)
