"""Sticky assignments: a unit keeps its first treatment for as long as the iteration lives.

If the iteration no longer has that treatment, another one is kept after it. The first kept
treatment that the iteration has is the one that counts. The program never changes or deletes a row,
so a row that was read may be cached for good. Rows belong to no revision: a roll back leaves them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Final, NamedTuple

from sqlalchemy import Connection, Insert, Table, select

from allotment.model.text import check_key
from allotment.store.schema import kept_assignment, kept_replacement

# So many units in one query: SQLite takes 32,766 parameters, and PostgreSQL plans long lists badly.
_UNITS: Final = 500


class StickyKey(NamedTuple):
    """What a treatment is kept for: a unit, by its key, in an iteration of an experiment."""

    experiment: str
    iteration: int
    unit: str


@dataclass(frozen=True, slots=True)
class StickyTreatment:
    """A sticky treatment: the `revision` that decided it, and the time in milliseconds since 1970.

    `later` has what was kept in its place, in the order of keeping.
    """

    treatment: str
    revision: int
    at: int
    later: tuple[StickyTreatment, ...] = ()

    @property
    def treatments(self) -> tuple[str, ...]:
        """All that is kept, in the order of keeping."""
        return (self.treatment, *(each.treatment for each in self.later))

    def standing(self, names: Container[str], until: int | None = None) -> StickyTreatment | None:
        """What counts in an iteration that has the treatments `names`; None where nothing does.

        What was kept after the revision `until` is passed over.
        """
        for each in (self, *self.later):
            if each.treatment in names and (until is None or each.revision <= until):
                return each
        return None


def read(
    connection: Connection, space: str, keys: Iterable[StickyKey]
) -> dict[StickyKey, StickyTreatment]:
    """What is kept for these keys; nothing for those that are not there."""
    found: dict[StickyKey, StickyTreatment] = {}
    for (experiment, iteration), units in _grouped(keys):
        for table in (kept_assignment, kept_replacement):
            c = table.c
            query = (
                select(c.unit, c.treatment, c.revision, c.at)
                .where(c.space == space)
                .where(c.experiment == experiment, c.iteration == iteration)
                .where(c.unit.in_(units))
                .order_by(*table.primary_key.columns)
            )
            for unit, *kept in connection.execute(query):
                key = StickyKey(experiment, iteration, bytes(unit).decode())
                first, each = found.get(key), StickyTreatment(*kept)
                found[key] = each if first is None else replace(first, later=(*first.later, each))
    return found


def keep(
    connection: Connection,
    space: str,
    given: Mapping[StickyKey, StickyTreatment],
    behind: Mapping[StickyKey, StickyTreatment],
) -> dict[StickyKey, StickyTreatment]:
    """Keep treatments where none was kept before, or `behind` what is; what is kept from now on.

    Of several that keep a treatment for one key at once, the first to insert it decides for all.
    """
    rows: dict[Table, list[dict[str, object]]] = {kept_assignment: [], kept_replacement: []}
    # In one order, so that two transactions never wait for each other.
    for key in sorted(given):
        row = {
            "space": space,
            "experiment": check_key(key.experiment, "$.experiment"),
            "iteration": key.iteration,
            "unit": key.unit.encode(),
            "treatment": given[key].treatment,
            "revision": given[key].revision,
            "at": given[key].at,
        }
        if key in behind:
            rows[kept_replacement].append({**row, "turn": len(behind[key].treatments)})
        else:
            rows[kept_assignment].append(row)
    for table, new in rows.items():
        if new:
            connection.execute(add(connection, table), new)
    return read(connection, space, given)


def add(connection: Connection, table: Table) -> Insert:
    """What adds rows that are not there yet, and leaves those that are."""
    # By the dialect in use: to import the other takes as long as all else of the store.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    added: Insert = dialect.insert(table).on_conflict_do_nothing()
    return added


def _grouped(keys: Iterable[StickyKey]) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Units that are asked for together, by experiment and iteration."""
    groups: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for key in keys:
        groups[key.experiment, key.iteration].append(key.unit.encode())
    for group, units in groups.items():
        check_key(group[0], "$.experiment")  # PostgreSQL takes no NUL, and SQLite does
        for start in range(0, len(units), _UNITS):
            yield group, units[start : start + _UNITS]
