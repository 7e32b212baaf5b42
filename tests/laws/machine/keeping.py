"""What a server gives where assignments are kept, against the twin that knows what was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.catalog import Catalog
from allotment.reference import assign
from allotment.store import StickyKey, Store
from tenant import Vendor


@dataclass
class Keeping:
    """The treatments kept for a unit in an iteration, and answers with what was kept before each.

    A treatment is kept in place of those that the iteration has no longer: `replaced` times.
    """

    kept: dict[StickyKey, tuple[str, ...]] = field(default_factory=dict)
    given: list[tuple[str, str, tuple[str, ...], Any]] = field(default_factory=list)
    replaced: int = 0

    def ask(self, api: Vendor, units: Sequence[str]) -> Mapping[tuple[str, str], str | None]:
        """Ask the server for all units; it answers as the twin does, and keeps what is new."""
        found: dict[tuple[str, str], str | None] = {}
        for unit in units:
            answers = api.post("/v1/assign", {"unit": unit})["assignments"]
            for key, shown in answers.items():
                self._check(api.catalog, key, unit, shown)
                found[key, unit] = shown["treatment"]
        return found

    def _check(self, catalog: Catalog, key: str, unit: str, shown: Any) -> None:
        sticky_key = StickyKey(key, shown["iteration"], unit)
        stored = self.kept.get(sticky_key, ())
        twin = assign(catalog, key, unit, None, stored)
        assert (shown["treatment"], shown["reason"]) == (twin.treatment, twin.reason), (key, unit)
        assert not shown["to_keep"], "the store is there"
        if twin.to_keep:
            assert twin.treatment is not None
            current = catalog.experiments[key].current
            assert not {*stored} & {each.key for each in current.treatments}
            self.kept[sticky_key] = (*stored, twin.treatment)
            self.replaced += bool(stored)
        if catalog.experiments[key].keeps_assignments:
            self.given.append((key, unit, stored, shown))

    def replay(self, store: Store) -> None:
        """Each answer at the revision that it names is the same, with what the store kept by then.

        The reason is, with what was kept before: the answer that keeps is not yet STICKY.
        """
        rows = store.sticky(self.kept)
        assert {sticky_key: each.treatments for sticky_key, each in rows.items()} == self.kept
        engines: dict[int, Engine] = {}
        for key, unit, before, shown in self.given:
            revision = shown["revision"]
            if revision not in engines:
                engines[revision] = Engine(compile_catalog(store.catalog(revision)))
            engine = engines[revision]
            names = engine.snapshot.plans[key].names
            row = rows.get(StickyKey(key, shown["iteration"], unit))
            by_then = row and row.standing(names, revision)
            again = engine.assign(key, unit, None, by_then and by_then.treatment)
            assert again.treatment == shown["treatment"], (key, unit, shown)
            standing = next((each for each in before if each in names), None)
            again = engine.assign(key, unit, None, standing)
            told = again.treatment, again.reason
            assert told == (shown["treatment"], shown["reason"]), (key, unit, shown)
