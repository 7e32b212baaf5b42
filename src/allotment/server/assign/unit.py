"""One unit: what it gets in experiments, and what flags resolve to for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Final, cast

from msgspec import UNSET, UnsetType

from allotment.errors import InvalidInput
from allotment.model.assignment import Assignment
from allotment.model.resolution import Resolution
from allotment.server.assign.asked import AssignAsked, ResolveAsked, Unit
from allotment.server.assign.shown import Shown
from allotment.server.exposures import Exposures

# So many take a few milliseconds, which the event loop can spare; more are asked in a thread.
_MANY: Final = 2_000


class OneUnit:
    """Answers for one unit at a time, and logs the treatments that it hands out."""

    def __init__(self, exposures: Exposures | None) -> None:
        self._log = exposures.log if exposures is not None and exposures.on else None

    async def assign(self, shown: Shown, asked: AssignAsked) -> bytes:
        """The assignments that were asked for, as a body."""
        plans = shown.served.engine.snapshot.plans
        keys = _keys(asked.experiment, asked.experiments, plans, "experiment")
        if len(keys) > _MANY:
            return await asyncio.to_thread(self._assign, shown, asked, keys)
        return self._assign(shown, asked, keys)

    def _assign(self, shown: Shown, asked: AssignAsked, keys: Collection[str]) -> bytes:
        engine, unit, attributes = shown.served.engine, asked.unit, asked.attributes
        given: Iterable[Assignment]
        if asked.stored:
            kept = asked.stored.get
            given = [_assigned(engine.assign(key, unit, attributes, kept(key))) for key in keys]
        elif keys is engine.snapshot.plans:
            given = cast(Collection[Assignment], engine.assign_all(unit, attributes).values())
        else:
            given = [_assigned(engine.assign(key, unit, attributes)) for key in keys]
        if self._log is not None:
            self._expose(shown, unit, given)
        return shown.assignments(given)

    async def resolve(self, shown: Shown, asked: ResolveAsked) -> bytes:
        """The flags' values that were asked for, as a body."""
        flags = shown.served.engine.catalog.flags
        keys = _keys(asked.flag, asked.flags, flags, "flag")
        if len(keys) > _MANY:
            return await asyncio.to_thread(self._resolve, shown, asked, keys)
        return self._resolve(shown, asked, keys)

    def _resolve(self, shown: Shown, asked: ResolveAsked, keys: Collection[str]) -> bytes:
        engine, unit, attributes = shown.served.engine, asked.unit, asked.attributes
        found: list[tuple[Resolution, str | None]] = []
        for key in keys:
            resolution = engine.resolve(key, unit, attributes)
            treatment = None
            if resolution.experiment is not None:
                given = _assigned(engine.assign(resolution.experiment, unit, attributes))
                treatment = given.treatment
                if self._log is not None:
                    self._expose(shown, unit, (given,))
            found.append((resolution, treatment))
        return shown.resolutions(found)

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


def _assigned(answer: object) -> Assignment:
    return cast(Assignment, answer)
