"""What was shown: the units of each treatment, counted from exposures or read from a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from allotment.errors import InvalidInput
from allotment.frames.rows import Rows, Wanted
from allotment.model.assignment import Reason

# What an exposure has, and what a row of counts has. The first two are in both.
_REQUIRED: Final = ("experiment", "treatment")
_OPTIONAL: Final = ("iteration", "allocation", "unit", "reason", "revision", "space", "units")
COLUMNS: Final = Wanted({}, {}, (*_REQUIRED, *_OPTIONAL), frozenset(_OPTIONAL))

# The reasons of treatments that the weights dealt.
_DEALT: Final = (Reason.ALLOCATED.value, Reason.FALLBACK.value)

_SHOWN: Final = pa.schema(
    [
        ("experiment", pa.string()),
        ("iteration", pa.int64()),
        ("allocation", pa.string()),
        ("treatment", pa.string()),
        ("unit", pa.string()),
    ]
)
_GROUP: Final = ["experiment", "iteration", "allocation"]

# At least so many rows wait before the distinct ones of them are sought, and as many as there are
# distinct ones: then each row is looked at twice on average.
_PENDING_MIN: Final = 1 << 20


class Group(NamedTuple):
    """What a count is of; None for an iteration or an allocation that the rows do not say."""

    experiment: str
    iteration: int | None
    allocation: str | None

    def __str__(self) -> str:
        said = [self.experiment]
        said += [] if self.iteration is None else [f"iteration {self.iteration}"]
        said += [] if self.allocation is None else [f"allocation {self.allocation}"]
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Observed:
    """The units that were seen.

    counts    for each group, treatment to units
    several   for each group, units that were seen in more than one treatment: they count in none
    left_out  exposures that say nothing of the weights, by why: another reason than ALLOCATED or
              FALLBACK, no treatment, no unit
    """

    counts: Mapping[Group, Mapping[str, int]]
    several: Mapping[Group, int]
    left_out: Mapping[str, int]


@dataclass(slots=True)
class Observing:
    """Takes rows of exposures, or of counts, batch by batch; `space` and `since` choose among them.

    Exposures are kept in memory, each distinct one once.

    space  the space whose exposures count; None where they are all of one
    since  the first revision whose exposures count; None for all
    """

    space: str | None = None
    since: int | None = None
    _shown: list[pa.Table] = field(default_factory=list)
    _pending: int = 0
    _spaces: set[str] = field(default_factory=set)
    _counts: dict[Group, dict[str, int]] = field(default_factory=dict)
    _left_out: Counter[str] = field(default_factory=Counter)

    def add(self, rows: Rows) -> None:
        """Take n rows; raises InvalidInput for what is neither an exposure nor a count."""
        if not all(map(len, rows.written.values())):
            return
        columns = {name: _column(name, each) for name, each in rows.written.items()}
        table = pa.table({name: each for name, each in columns.items() if each is not None})
        table = self._chosen(table)
        is_shown, is_count = (name in table.column_names for name in ("unit", "units"))
        if is_shown == is_count:
            raise InvalidInput(
                "exposures have a column 'unit', and a table of counts has a column 'units': "
                f"there {'are both' if is_shown else 'is neither'}"
            )
        if is_count:
            self._add_counts(table)
        else:
            self._add_shown(table)

    def result(self) -> Observed:
        """What was seen in all the rows."""
        if len(self._spaces) > 1:
            names = ", ".join(sorted(self._spaces))
            raise InvalidInput(f"these are exposures of several spaces: {names}; say --space")
        if self._counts and self._shown:
            raise InvalidInput("some files hold exposures, and some hold counts")
        if self._counts:
            return Observed(self._counts, {}, {})
        counts, several = _count(self._distinct())
        return Observed(counts, several, self._left_out)

    def _chosen(self, table: pa.Table) -> pa.Table:
        if "space" in table.column_names:
            if self.space is None:
                self._spaces.update(filter(None, table["space"].unique().to_pylist()))
            else:
                table = table.filter(_is_in(table["space"], pa.array([self.space])))
        if self.since is not None:
            if "revision" not in table.column_names or table["revision"].null_count:
                raise InvalidInput("--since needs the column 'revision' in each row")
            table = table.filter(pc.greater_equal(table["revision"], self.since))
        return table

    def _add_shown(self, table: pa.Table) -> None:
        if "reason" in table.column_names:
            table = self._keep(table, _is_in(table["reason"], pa.array(_DEALT)), "reason")
        for name in ("experiment", "treatment", "unit"):
            table = self._keep(table, pc.is_valid(table[name]), name)
        columns = [
            table[name] if name in table.column_names else pa.nulls(table.num_rows, kind)
            for name, kind in zip(_SHOWN.names, _SHOWN.types, strict=True)
        ]
        self._shown.append(pa.table(columns, schema=_SHOWN))
        self._pending += table.num_rows
        if self._pending > max(_PENDING_MIN, self._shown[0].num_rows):
            self._shown, self._pending = [self._distinct()], 0

    def _keep(self, table: pa.Table, kept: pa.Array, column: str) -> pa.Table:
        for each in pc.value_counts(table.filter(pc.invert(kept))[column]).to_pylist():
            self._left_out[each["values"] or f"no {column}"] += each["counts"]
        return table.filter(kept)

    def _distinct(self) -> pa.Table:
        if not self._shown:
            return _SHOWN.empty_table()
        whole = pa.concat_tables(self._shown)
        return whole.group_by(_SHOWN.names, use_threads=False).aggregate([])

    def _add_counts(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            group = Group(row["experiment"], row.get("iteration"), row.get("allocation"))
            treatment, units = row["treatment"], row["units"]
            if None in (group.experiment, treatment, units) or units < 0:
                raise InvalidInput(
                    f"a row of counts has an experiment, a treatment and units, 0 or more: {row}"
                )
            if treatment in self._counts.setdefault(group, {}):
                raise InvalidInput(f"the counts have two rows of {treatment!r} in {group}")
            self._counts[group][treatment] = units


def _column(name: str, column: pa.Array) -> pa.Array | None:
    """A column as it counts: text, or integers; None for an optional one without a value.

    Raises InvalidInput for other values.
    """
    if column.null_count == len(column):
        return None if name in _OPTIONAL else pa.nulls(len(column), pa.string())
    kind = pa.int64() if name in {"iteration", "revision", "units"} else pa.string()
    given = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_whole = pa.types.is_integer(given)
    is_text = pa.types.is_string(given) or pa.types.is_large_string(given)
    is_text = is_text or pa.types.is_string_view(given)
    is_bytes = pa.types.is_binary(given) or pa.types.is_large_binary(given)
    if is_whole or is_text or (is_bytes and kind == pa.string()):
        try:
            if pa.types.is_dictionary(column.type):  # what is within is no view then
                values = column.dictionary.cast(kind)
                column = pa.DictionaryArray.from_arrays(column.indices, values)
            return column.cast(kind)
        except pa.ArrowInvalid as error:
            raise InvalidInput(f"the column {name!r}: {error}") from error
    said = "whole numbers" if kind == pa.int64() else "text"
    raise InvalidInput(f"the column {name!r} holds {said}; here it is of type {given}")


def _is_in(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Where a column has one of the values, or none."""
    return pc.or_(pc.is_in(column, values), pc.is_null(column))


def _count(shown: pa.Table) -> tuple[dict[Group, dict[str, int]], dict[Group, int]]:
    """Units by group and treatment, and by group those that are in several treatments."""
    units = shown.group_by([*_GROUP, "unit"], use_threads=False).aggregate(
        [("treatment", "count"), ("treatment", "min")]
    )
    once = pc.equal(units["treatment_count"], 1)
    counts: dict[Group, dict[str, int]] = {}
    for row in _sizes(units.filter(once), [*_GROUP, "treatment_min"]):
        counts.setdefault(_group(row), {})[row["treatment_min"]] = row["unit_count"]
    several = _sizes(units.filter(pc.invert(once)), _GROUP)
    return counts, {_group(row): row["unit_count"] for row in several}


def _sizes(units: pa.Table, keys: list[str]) -> list[dict[str, Any]]:
    sizes = units.group_by(keys, use_threads=False).aggregate([("unit", "count")])
    return list(sizes.to_pylist())


def _group(row: Mapping[str, Any]) -> Group:
    return Group(row["experiment"], row["iteration"], row["allocation"])
