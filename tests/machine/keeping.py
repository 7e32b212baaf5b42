"""What a server gives where assignments are kept, against the twin that knows what was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.catalog import Catalog
from allotment.reference import assign
from allotment.store import Lot, Store
from tenant import Vendor


@dataclass
class Keeping:
    """The treatment kept for a unit in an iteration, and answers with what was kept before each.

    It is for experiments that never lose a treatment, so that what is kept is never replaced.
    """

    kept: dict[Lot, str] = field(default_factory=dict)
    given: list[tuple[str, str, str | None, Any]] = field(default_factory=list)

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
        lot = Lot(key, shown["iteration"], unit)
        stored = self.kept.get(lot)
        twin = assign(catalog, key, unit, None, stored)
        assert (shown["treatment"], shown["reason"]) == (twin.treatment, twin.reason), (key, unit)
        assert not shown["to_keep"], "the store is there"
        if twin.to_keep:
            assert twin.treatment is not None
            assert stored is None
            self.kept[lot] = twin.treatment
        if catalog.experiments[key].keeps_assignments:
            self.given.append((key, unit, stored, shown))

    def replay(self, store: Store) -> None:
        """Each answer at the revision that it names, and with what was kept, is the same."""
        engines: dict[int, Engine] = {}
        for key, unit, stored, shown in self.given:
            revision = shown["revision"]
            if revision not in engines:
                engines[revision] = Engine(compile_catalog(store.catalog(revision)))
            again = engines[revision].assign(key, unit, None, stored)
            assert again.reason == shown["reason"], (key, unit, shown)
            assert again.treatment == shown["treatment"], (key, unit, shown)
