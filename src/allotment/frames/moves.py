"""Which units of a table a change would move, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import pyarrow as pa

from allotment.engine import Engine
from allotment.engine.moves import Kept, Moved, Pairing, compared
from allotment.errors import InvalidInput
from allotment.frames.rows import Rows, Wanted
from allotment.kernel.units import unit_keys

# A unit that a change moves: its treatments before and after, null where it has none.
MOVED: Final = pa.schema([(name, pa.string()) for name in ("experiment", "unit", "from", "to")])


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
        for one in compared(before, after, rows.units, rows.attributes, counts, kept):
            counts[one.experiment].add(one.before, one.after)
            if write is not None:
                units = _units_of(one.experiment, rows, (after, before))
                written = _rows_of(one, units)
                if written.num_rows:
                    write(written)
    return counts


def _units_of(experiment: str, rows: Rows, engines: Iterable[Engine]) -> list[str | None]:
    found = (engine.catalog.experiments.get(experiment) for engine in engines)
    (kind, *_) = [noun.unit for noun in found if noun is not None]
    return unit_keys(rows.units, kind)


def _rows_of(one: Pairing, units: Sequence[str | None]) -> pa.RecordBatch:
    changed = one.differing()
    columns = [
        [one.experiment] * len(changed),
        [units[row] for row in changed],
        *(side.to_numpy()[changed].tolist() for side in (one.before, one.after)),
    ]
    return pa.record_batch([pa.array(each, pa.string()) for each in columns], MOVED)


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
