"""Why a unit gets what it gets, now or as the catalog stood at an earlier revision."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET

from allotment.engine import Engine
from allotment.engine.assignment_json import AssignmentBody
from allotment.engine.explanation import Explanation
from allotment.errors import NotFound, Overloaded, StoreError
from allotment.model.assignment import Assignment
from allotment.model.catalog import Catalog
from allotment.server.assign.bodies import CheckBody, ExplainAnswer, ExplainRequest
from allotment.server.assign.effort import Size, effort
from allotment.server.assign.shown import Shown
from allotment.server.http.answer import Ready
from allotment.server.sticky.key import sticky_key_of
from allotment.server.sync.node import Node
from allotment.server.sync.one_experiment import engine_of
from allotment.server.sync.spaces import Served

T = TypeVar("T")

# A catalog of ten thousand experiments takes some 50 MB; one is asked about
# or two revisions many times.
_CATALOGS_MAX: Final = 4


class Explained:
    """Explains; keeps the catalogs that were asked for last."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._catalogs: OrderedDict[tuple[str, int, int], Catalog] = OrderedDict()

    async def explain(self, shown: Shown, asked: ExplainRequest, text: bytes) -> Ready:
        """The explanation that was asked for, as an answer; the rest is as `look` has it."""
        return await self.look(shown, asked, text, partial(_ready, shown))

    async def look(
        self,
        shown: Shown,
        asked: ExplainRequest,
        text: bytes,
        show: Callable[[Engine, Explanation], T],
    ) -> T:
        """What `show` makes, in a thread, of the engine and its explanation.

        `text` is the request as it is written. Raises NotFound for an experiment or a revision that
        is not there, StoreError where the store is needed and away.
        """
        engine, until = shown.served.engine, None
        if asked.revision is not UNSET and asked.revision != shown.served.revision:
            until = asked.revision
            engine = await self._node.rebuild(
                self._engine_at, shown.served.space, asked.revision, asked.experiment
            )
        effort(shown, (asked.experiment,), Size.of(text))
        if asked.experiment not in engine.snapshot.plans:
            raise NotFound("there is no such experiment at that revision", "$.experiment")
        stored = asked.stored
        if stored is None:
            stored = await self._kept(shown.served.space, engine, asked, until)

        def explained() -> T:
            found = engine.explain(asked.experiment, asked.unit, asked.attributes, stored)
            return show(engine, found)

        return await self._node.run(explained)

    async def catalog(self, served: Served, revision: int | None) -> Catalog:
        """The catalog of a space as it is served, or at a revision; NotFound for one that is not
        there."""
        if revision in (None, served.revision):
            return served.stored.catalog
        return await self._node.rebuild(self._catalog_at, served.space, revision)

    async def _kept(
        self, space: str, engine: Engine, asked: ExplainRequest, until: int | None
    ) -> str | None:
        """What is kept for the unit, or was by a revision. To explain is not to keep anything."""
        experiment = engine.catalog.experiments[asked.experiment]
        if not experiment.keeps_assignments:
            return None
        given = await self._node.run(engine.assign, asked.experiment, asked.unit, asked.attributes)
        assert isinstance(given, Assignment)
        sticky_key = sticky_key_of(experiment, given, asked.unit)
        if sticky_key is None:
            return None
        try:
            kept = (await self._node.run(self._node.store_at(space).sticky, [sticky_key])).get(
                sticky_key
            )
        except (StoreError, Overloaded):
            return None
        names = engine.snapshot.plans[asked.experiment].names
        standing = None if kept is None else kept.standing(names, until)
        return None if standing is None else standing.treatment

    def _engine_at(self, space: str, revision: int, experiment: str) -> Engine:
        return engine_of(self._catalog_at(space, revision), experiment)

    def _catalog_at(self, space: str, revision: int) -> Catalog:
        # A store that was adopted may have other revisions of the same numbers.
        key = (space, revision, self._node.adopted)
        known = self._catalogs.get(key)
        if known is None:
            known = self._node.store_at(space).catalog(revision)
        self._catalogs[key] = known
        self._catalogs.move_to_end(key)
        while len(self._catalogs) > _CATALOGS_MAX:
            self._catalogs.popitem(last=False)
        return known


def _ready(shown: Shown, engine: Engine, found: Explanation) -> Ready:
    given = found.assignment
    checks = [CheckBody(**each) for each in found.plain_checks()]
    answer = ExplainAnswer(
        engine.snapshot.revision, given.experiment, AssignmentBody.of(given), checks
    )
    return shown.ready(msgspec.json.encode(answer))
