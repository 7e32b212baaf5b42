"""Which real units a change moves: they are assigned under the catalog before it and after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from allotment.engine.column import Column
from allotment.engine.engine import Engine
from allotment.kernel.units import unit_keys

# What is kept in an iteration of an experiment for those of some units that have something kept: of
# several treatments, the first that the iteration has counts.
Kept: TypeAlias = Callable[[str, int, Sequence[str]], Mapping[str, Sequence[str]]]


@dataclass(slots=True)
class Moved:
    """Counts of one experiment's units.

    cells   how many have which treatment and would get which; None for none
    """

    cells: dict[tuple[str | None, str | None], int] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """How many were asked about."""
        return sum(self.cells.values())

    @property
    def moved(self) -> int:
        """How many go from one treatment to another."""
        return sum(n for (a, b), n in self.cells.items() if None not in (a, b) and a != b)

    @property
    def gained(self) -> int:
        """How many get a treatment and had none."""
        return sum(n for (a, b), n in self.cells.items() if a is None and b is not None)

    @property
    def lost(self) -> int:
        """How many have a treatment and would get none."""
        return sum(n for (a, b), n in self.cells.items() if a is not None and b is None)

    def add(self, before: Column, after: Column) -> None:
        """Count units by what they have and what they would get."""
        for cell, count in before.transitions(after).items():
            self.cells[cell] = self.cells.get(cell, 0) + count


class Pairing(NamedTuple):
    """What some units have in an experiment, and what they would get."""

    experiment: str
    before: Column
    after: Column

    def differing(self) -> npt.NDArray[np.intp]:
        """Where the two differ."""
        index = {name: code for code, name in enumerate(self.before.treatments)}
        fresh = len(index)  # stands for every treatment that was not there before
        same = np.array([*(index.get(name, fresh) for name in self.after.treatments), -1], np.int16)
        return np.flatnonzero(self.before.codes != same[self.after.codes])


def compared(  # noqa: PLR0913, PLR0917  # what is compared, of whom
    before: Engine,
    after: Engine,
    units: Mapping[str, object],
    attributes: object,
    experiments: Iterable[str],
    kept: Kept,
) -> Iterator[Pairing]:
    """Assign units, columns of keys by kind, under both engines, with what is kept for them.

    An engine that lacks an experiment gives nothing in it; what both lack is left out.
    """
    keys = list(experiments)
    then, now = (_assigned(one, units, attributes, keys, kept) for one in (before, after))
    for key in keys:
        had, has = then.get(key), now.get(key)
        if had is None and has is not None:
            had = _nothing(has)
        elif has is None and had is not None:
            has = _nothing(had)
        if had is not None and has is not None:
            yield Pairing(key, had, has)


def _assigned(
    engine: Engine,
    units: Mapping[str, object],
    attributes: object,
    experiments: Iterable[str],
    kept: Kept,
) -> dict[str, Column]:
    there = {key: noun for key in experiments if (noun := engine.catalog.experiments.get(key))}
    if not there:
        return {}
    kinds = {noun.unit for noun in there.values()}
    some = {kind: column for kind, column in units.items() if kind in kinds}
    columns = dict(engine.assign_table(some, there, attributes))
    for key, noun in there.items():
        if noun.keeps_assignments and noun.live is not None:
            keys = unit_keys(some, noun.unit)
            found = kept(key, noun.live.number, [unit for unit in dict.fromkeys(keys) if unit])
            if found:
                names = set(columns[key].treatments)
                stored = [
                    next((t for t in found.get(unit or "", ()) if t in names), None)
                    for unit in keys
                ]
                columns[key] = engine.assign_many(key, some, attributes, stored=stored)
    return columns


def _nothing(like: Column) -> Column:
    return replace(like, codes=np.full_like(like.codes, -1))
