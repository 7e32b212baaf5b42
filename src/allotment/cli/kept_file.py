"""A file of assignments that were made elsewhere: its rows, and whether each can be kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pyarrow as pa

from allotment.cli.home import Home
from allotment.engine import Engine
from allotment.errors import AllotmentError, InvalidChange, InvalidInput, did_you_mean
from allotment.frames.rows import Rows, Wanted
from allotment.kernel.units import texts_of, unit_keys
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.server.sticky.rows import StickyRow, bare_engine, keeping_of

COLUMNS: Final = Wanted(
    {}, {}, ("experiment", "unit", "treatment", "iteration"), frozenset({"iteration"})
)

# How many rows of a fault are named.
_EXAMPLES_MAX: Final = 3

_WHY: Final = {
    Reason.NO_UNIT: "a unit's key is text of 1 to 1,024 bytes, or a whole number",
    Reason.NOT_IN_LAYER: "the unit lies outside its part of the layer, or of the sample",
}


class KeptRows(NamedTuple):
    """Some rows of the file, and the number of the first, counted from 1.

    An experiment, a unit or a treatment is None where there is none. Iterations are None where the
    file has no such column, and one that is None is the live one.
    """

    first: int
    experiments: Sequence[str | None]
    units: Sequence[str | None]
    treatments: Sequence[str | None]
    iterations: Sequence[int | None] | None

    def rows(self) -> list[StickyRow]:
        """The rows as they are sent, once it is known that all can be kept."""
        pairs = zip(self.experiments, self.units, self.treatments, strict=True)
        rows = [
            StickyRow(experiment, unit, treatment)
            for experiment, unit, treatment in pairs
            if experiment is not None and unit is not None and treatment is not None
        ]
        if len(rows) < len(self.units):
            raise InvalidChange("the file has changed since it was looked at")
        return rows


@dataclass(slots=True)
class ImportFault:
    """What some rows have in common that cannot be kept."""

    rows: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, number: int, unit: str | None) -> None:
        """One more row."""
        self.rows += 1
        if len(self.examples) < _EXAMPLES_MAX:
            self.examples.append(f"row {number:,}" if unit is None else f"{unit} in row {number:,}")


@dataclass(slots=True)
class ImportEffect:
    """What the rows of one experiment would do.

    rows     rows by treatment
    already  rows whose unit has a treatment, which stays
    differ   those of them where it is another treatment
    """

    iteration: int
    rows: Counter[str] = field(default_factory=Counter)
    already: int = 0
    differ: int = 0


@dataclass(slots=True)
class Examined:
    """Looks at the rows of a file under a catalog; nothing is written.

    found   what the rows do, by experiment
    faults  what cannot be kept, by what is wrong with it
    """

    catalog: Catalog
    home: Home
    found: dict[str, ImportEffect] = field(default_factory=dict)
    faults: dict[str, ImportFault] = field(default_factory=dict)
    _engines: dict[str, Engine] = field(default_factory=dict)

    def add(self, batch: KeptRows) -> None:
        """Look at some more rows."""
        places: dict[str | None, list[int]] = defaultdict(list)
        for place, key in enumerate(batch.experiments):
            places[key].append(place)
        for key, of_it in places.items():
            if key is None:
                self._refuse("no experiment is named", batch, of_it)
                continue
            try:
                experiment, live = keeping_of(self.catalog, key)
            except AllotmentError as error:
                self._refuse(f"{key}: {error.message}", batch, of_it)
                continue
            self._add(experiment, live, batch, of_it)

    def _add(
        self, experiment: Experiment, live: Iteration, batch: KeptRows, places: list[int]
    ) -> None:
        if batch.iterations is not None:
            numbers = batch.iterations
            others = [p for p in places if numbers[p] not in (None, live.number)]
            what = f"{experiment.key}: only rows of the live iteration, {live.number}, can be kept"
            self._refuse(what, batch, others)
            places = [p for p in places if numbers[p] in (None, live.number)]
        if experiment.key not in self._engines:
            self._engines[experiment.key] = bare_engine(self.catalog, experiment)
        engine = self._engines[experiment.key]
        units = [batch.units[place] for place in places]
        treatments = [batch.treatments[place] for place in places]
        column = engine.assign_many(experiment.key, units, stored=treatments)
        fitting: list[tuple[str, str]] = []
        for place, unit, treatment, code in zip(
            places, units, treatments, column.reasons.tolist(), strict=True
        ):
            reason = REASONS[code]
            if reason is Reason.STICKY and unit is not None and treatment is not None:
                fitting.append((unit, treatment))
            else:
                self._refuse(_why(experiment, live, reason, treatment), batch, [place])
        self._count(experiment, live, fitting)

    def _count(
        self, experiment: Experiment, live: Iteration, fitting: Sequence[tuple[str, str]]
    ) -> None:
        found = self.found.setdefault(experiment.key, ImportEffect(live.number))
        names = {treatment.key for treatment in live.treatments}
        units = list(dict.fromkeys(unit for unit, _ in fitting))
        kept = self.home.kept(experiment.key, live.number, units)
        for unit, treatment in fitting:
            found.rows[treatment] += 1
            standing = next((each for each in kept.get(unit, ()) if each in names), None)
            found.already += standing is not None
            found.differ += standing not in (None, treatment)

    def _refuse(self, what: str, batch: KeptRows, places: Sequence[int]) -> None:
        for place in places:
            fault = self.faults.setdefault(what, ImportFault())
            fault.add(batch.first + place, batch.units[place])


def _why(experiment: Experiment, live: Iteration, reason: Reason, treatment: str | None) -> str:
    if reason in _WHY:
        return f"{experiment.key}: {_WHY[reason]}"
    if treatment is None:
        return f"{experiment.key}: no treatment is named"
    near = did_you_mean(treatment, [each.key for each in live.treatments])
    return f"{experiment.key}: the iteration has no treatment {treatment!r}{near}"


def batches_of(batches: Iterator[Rows]) -> Iterator[KeptRows]:
    """The rows of a file; raises InvalidInput for a column of a type that cannot be read."""
    first = 1
    for rows in batches:
        columns = rows.written
        batch = KeptRows(
            first,
            _texts("experiment", columns),
            # A key means the same whatever the kind of the unit is.
            unit_keys(columns["unit"], "unit"),
            _texts("treatment", columns),
            None if columns.get("iteration") is None else _numbers(columns["iteration"]),
        )
        yield batch
        first += len(batch.units)


def _texts(name: str, columns: Mapping[str, pa.Array]) -> list[str | None]:
    texts: list[str | None] = texts_of(columns[name], f"values of the column {name!r}", "")
    return texts


def _numbers(column: pa.Array) -> list[int | None]:
    try:
        numbers: list[int | None] = column.cast(pa.int64()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"the column 'iteration' holds whole numbers: {error}") from error
    return numbers


def lines_of(faults: Mapping[str, ImportFault]) -> list[str]:
    """A line for each fault, with how many rows have it and some of them."""
    return [
        f"{fault.rows:,} {'row' if fault.rows == 1 else 'rows'}: {what} "
        f"({', '.join(fault.examples)}{', ...' if fault.rows > len(fault.examples) else ''})"
        for what, fault in faults.items()
    ]


def plain_of(found: Mapping[str, ImportEffect]) -> list[dict[str, Any]]:
    """What the rows do, as plain data."""
    return [
        {
            "experiment": key,
            "iteration": each.iteration,
            "rows": dict(sorted(each.rows.items())),
            "already_kept": each.already,
            "differing": each.differ,
        }
        for key, each in sorted(found.items())
    ]
