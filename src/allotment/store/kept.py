"""Kept assignments: the first treatment of a unit stands for as long as its iteration lives.

A row is never changed and never deleted, so whoever has read one may remember it for good. Rows are
no part of any revision: a roll back leaves them where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from allotment.store.schema import kept_assignment

# So many units in one query: SQLite takes 32,766 parameters, and PostgreSQL plans long lists badly.
_UNITS: Final = 500

_KEEP: Final[dict[str, Insert]] = {
    "sqlite": sqlite.insert(kept_assignment).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(kept_assignment).on_conflict_do_nothing(),
}


class Lot(NamedTuple):
    """What a treatment is kept for: a unit, by its key, in an iteration of an experiment."""

    experiment: str
    iteration: int
    unit: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A treatment as it is kept: `revision` decided it, `at` milliseconds since 1970 UTC."""

    treatment: str
    revision: int
    at: int


def read(connection: Connection, space: str, lots: Iterable[Lot]) -> dict[Lot, Kept]:
    """What is kept for these lots; nothing for those that are not there."""
    table = kept_assignment.c
    found: dict[Lot, Kept] = {}
    for (experiment, iteration), units in _grouped(lots):
        query = (
            select(table.unit, table.treatment, table.revision, table.at)
            .where(table.space == space)
            .where(table.experiment == experiment, table.iteration == iteration)
            .where(table.unit.in_(units))
        )
        for unit, *kept in connection.execute(query):
            found[Lot(experiment, iteration, bytes(unit).decode())] = Kept(*kept)
    return found


def keep(
    connection: Connection, space: str, given: Mapping[Lot, str], revision: int, at: int
) -> dict[Lot, Kept]:
    """Keep treatments where none was kept before; what is kept from now on, whoever kept it."""
    # In one order, so that two who keep the same ones never wait for each other.
    rows = [
        {
            "space": space,
            "experiment": lot.experiment,
            "iteration": lot.iteration,
            "unit": lot.unit.encode(),
            "treatment": given[lot],
            "revision": revision,
            "at": at,
        }
        for lot in sorted(given)
    ]
    if rows:
        connection.execute(_KEEP[connection.dialect.name], rows)
    return read(connection, space, given)


def _grouped(lots: Iterable[Lot]) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Units that are asked for together, by experiment and iteration."""
    groups: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for lot in lots:
        groups[lot.experiment, lot.iteration].append(lot.unit.encode())
    for group, units in groups.items():
        for start in range(0, len(units), _UNITS):
            yield group, units[start : start + _UNITS]
