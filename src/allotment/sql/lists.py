"""Lists of units: in the statement where they are short, or in a table that it joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlglot import exp

from allotment.compile.experiment import Source
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.segment import Segment
from allotment.model.stage import excluders
from allotment.sql.clause import all_of, one_of
from allotment.sql.columns import PREFIX, column_of, type_gate
from allotment.sql.dialect import Expr, Kind, SqlDialect, text, whole

# So many ids stand in a statement: engines refuse one of megabytes, and plan long ones slowly.
INLINE_MAX: Final = 1_000


class Listed(NamedTuple):
    """A row of the table of lists.

    list       which list: `override/EXPERIMENT`, `claim/EXPERIMENT`, `segment/KEY/include` or
               `segment/KEY/exclude`
    unit       the unit's key, as text
    treatment  what an override gives it; else None
    """

    list: str
    unit: str
    treatment: str | None = None


@dataclass(frozen=True, slots=True)
class UnitLists:
    """The lists that one experiment asks, by name: units, each with its treatment or None.

    table  the table that they are joined from; None: they stand in the statement
    """

    lists: Mapping[str, Mapping[str, str | None]]
    table: Expr | None

    def rows(self) -> Iterator[Listed]:
        """Every row that the table must have."""
        for name, units in self.lists.items():
            for unit, treatment in units.items():
                yield Listed(name, unit, treatment)

    def holds(self, name: str, unit: Expr) -> Expr:
        """Whether the list has the unit; FALSE for a list that is empty."""
        if name not in self.lists:
            return exp.false()
        if self.table is None:
            return one_of(unit, map(text, self.lists[name]))
        if any(self.lists[name].values()):
            return exp.not_(self.treatment(name, unit).is_(exp.null()))
        # What is not joined is 0 in ClickHouse, and NULL elsewhere.
        found = exp.Coalesce(this=self._column(name), expressions=[whole(0)])
        return exp.EQ(this=found, expression=whole(1))

    def treatment(self, name: str, unit: Expr) -> Expr:
        """The treatment that the list gives the unit, or NULL."""
        if self.table is not None:
            known = dict.fromkeys(filter(None, self.lists[name].values()))
            column = self._column(name)
            test = one_of(column, map(text, known))
            return exp.Case(ifs=[exp.If(this=test, true=column)])
        found = self.lists[name].items()
        ifs = [exp.If(this=text(each), true=text(given)) for each, given in found if given]
        return exp.Case(this=unit.copy(), ifs=ifs)

    def joined(self, dialect: SqlDialect) -> exp.Select | None:
        """What is joined: one row a unit, with a column a list; None where nothing is."""
        if self.table is None or not self.lists:
            return None
        name, unit = exp.column("list"), column_of("unit", dialect).expression
        columns = [exp.alias_(dialect.bytewise(unit), f"{PREFIX}listed")]
        for key in self.lists:
            is_it = exp.EQ(this=name.copy(), expression=text(key))
            gives = any(self.lists[key].values())
            found = exp.If(this=is_it, true=exp.column("treatment") if gives else whole(1))
            value = exp.Case(ifs=[found], default=None if gives else whole(0))
            columns.append(exp.alias_(exp.Max(this=value), self._column(key).name))
        gate = type_gate(unit, Kind.TEXT, "'unit' of the table of lists", dialect)
        wanted = all_of([gate, one_of(name, map(text, self.lists))])
        return exp.select(*columns).from_(self.table).where(wanted).group_by(unit)

    def _column(self, name: str) -> Expr:
        return exp.column(f"{PREFIX}l{list(self.lists).index(name)}")


def lists_of(
    source: Source, catalog: Catalog, segments: list[Segment], table: Expr | None
) -> UnitLists:
    """The lists of an experiment, those that hold something; `segments` are those that it asks.

    Raises InvalidInput where they are too long for a statement and no table is named.
    """
    experiment, found = source.experiment, dict[str, Mapping[str, str | None]]()
    if not experiment.archived:
        known = {treatment.key for treatment in source.iteration.treatments}
        fixed = {unit: treatment for unit, treatment in experiment.overrides if treatment in known}
        found[f"override/{experiment.key}"] = fixed
    if source.live:
        others = excluders(experiment, catalog)
        claims = {unit: None for each in others for unit, _ in each.overrides}
        found[f"claim/{experiment.key}"] = claims
    for segment in segments:
        found[f"segment/{segment.key}/include"] = dict.fromkeys(segment.include)
        found[f"segment/{segment.key}/exclude"] = dict.fromkeys(segment.exclude)
    lists = {name: units for name, units in found.items() if units}
    count = sum(map(len, lists.values()))
    if table is None and count > INLINE_MAX:
        raise InvalidInput(
            f"the experiment asks lists of {count:,} ids, and a statement holds at most"
            f" {INLINE_MAX:,}: name a table of lists that it joins (`lists`, or --lists)"
        )
    return UnitLists(lists, table)
