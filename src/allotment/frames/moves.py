"""Which real units a change would move: a table assigned under the catalog before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allotment.engine import Column, Engine
from allotment.errors import InvalidInput
from allotment.frames.rows import Rows, Wanted
from allotment.kernel.units import unit_keys

# What is kept in an iteration of an experiment for those of some units that have something kept: of
# several treatments, the first that the iteration has counts.
Kept: TypeAlias = Callable[[str, int, Sequence[str]], Mapping[str, Sequence[str]]]


Positions: TypeAlias = npt.NDArray[np.intp]

# A unit that a change moves: its treatments before and after, null where it has none.
MOVED: Final = pa.schema([(name, pa.string()) for name in ("experiment", "unit", "from", "to")])


@dataclass(slots=True)
class Moved:
    """Counts of one experiment's units.

    units   how many were asked about
    moved   how many go from one treatment to another
    gained  how many get a treatment and had none
    lost    how many have a treatment and would get none
    """

    units: int = 0
    moved: int = 0
    gained: int = 0
    lost: int = 0

    def add(self, before: Column, after: Column) -> Positions:
        """Count n units by what they have and what they would get; gives where the two differ."""
        index = {name: code for code, name in enumerate(before.treatments)}
        fresh = len(index)  # stands for every treatment that was not there before
        same = np.array([*(index.get(name, fresh) for name in after.treatments), -1], np.int16)
        then, now = before.codes, same[after.codes]
        self.units += len(then)
        self.moved += int(np.count_nonzero((then >= 0) & (now >= 0) & (then != now)))
        self.gained += int(np.count_nonzero((then < 0) & (now >= 0)))
        self.lost += int(np.count_nonzero((then >= 0) & (now < 0)))
        return np.flatnonzero(then != now)


def count_moves(  # noqa: PLR0913, PLR0917  # what is compared, of whom, and where it goes
    before: Engine,
    after: Engine,
    batches: Iterable[Rows],
    experiments: Iterable[str],
    kept: Kept,
    write: Callable[[pa.RecordBatch], object] | None = None,
) -> dict[str, Moved]:
    """Assign every row under both engines, with what is kept for its units.

    An engine that lacks an experiment gives nothing in it. `write` is called with the units whose
    treatment changes, in batches of MOVED.
    """
    counts = {key: Moved() for key in experiments}
    for rows in batches:
        then, now = (_assigned(engine, rows, counts, kept) for engine in (before, after))
        for key, count in counts.items():
            had, has = then.get(key), now.get(key)
            if had is None and has is None:
                continue
            had = _nothing(has) if had is None else had
            has = _nothing(had) if has is None else has
            changed = count.add(had, has)
            if write is not None and len(changed):
                write(_rows_of(key, _units_of(key, rows, (after, before)), had, has, changed))
    return counts


def _units_of(experiment: str, rows: Rows, engines: Iterable[Engine]) -> list[str | None]:
    found = (engine.catalog.experiments.get(experiment) for engine in engines)
    (kind, *_) = [noun.unit for noun in found if noun is not None]
    return unit_keys(rows.units, kind)


def _rows_of(
    experiment: str, units: Sequence[str | None], had: Column, has: Column, changed: Positions
) -> pa.RecordBatch:
    columns = [
        [experiment] * len(changed),
        [units[row] for row in changed],
        *(side.to_numpy()[changed].tolist() for side in (had, has)),
    ]
    return pa.record_batch([pa.array(each, pa.string()) for each in columns], MOVED)


def _assigned(
    engine: Engine, rows: Rows, experiments: Iterable[str], kept: Kept
) -> dict[str, Column]:
    there = {key: noun for key in experiments if (noun := engine.catalog.experiments.get(key))}
    if not there:
        return {}
    kinds = {noun.unit for noun in there.values()}
    units = {kind: column for kind, column in rows.units.items() if kind in kinds}
    columns = dict(engine.assign_table(units, there, rows.attributes))
    for key, noun in there.items():
        if noun.keeps_assignments and noun.live is not None:
            keys = unit_keys(units, noun.unit)
            found = kept(key, noun.live.number, [unit for unit in dict.fromkeys(keys) if unit])
            if found:
                names = set(columns[key].treatments)
                stored = [
                    next((t for t in found.get(unit or "", ()) if t in names), None)
                    for unit in keys
                ]
                columns[key] = engine.assign_many(key, units, rows.attributes, stored=stored)
    return columns


def _nothing(like: Column | None) -> Column:
    assert like is not None, "one of the two engines has the experiment"
    return replace(like, codes=np.full_like(like.codes, -1))


def joined(one: Wanted, other: Wanted) -> Wanted:
    """The columns that two catalogs want; raises InvalidInput where they disagree on a unit's."""
    for kind in one.units.keys() & other.units.keys():
        if one.units[kind] != other.units[kind]:
            raise InvalidInput(f"two columns are given for units of the kind {kind}")
    attributes = {
        name: {*one.attributes.get(name, ()), *other.attributes.get(name, ())}
        for name in (*one.attributes, *other.attributes)
    }
    return Wanted({**one.units, **other.units}, attributes)
