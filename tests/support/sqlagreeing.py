"""SQL and the kernel answer alike: random catalogs over one table, every experiment of each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from random import Random

import pyarrow as pa

from allotment import REASONS, Catalog, Column, Engine, Reason, sql
from allotment.compile import compile_catalog
from allotment.model.profile import PROFILES
from allotment.sql.draw import can_draw
from sqlengines import KEPT, LISTS, Row, SqlEngine, table_of
from sqlone import dealt_by
from sqlworld import World, attributes, kept_rows, listed, said, standing, table


class Bout:
    """An engine of SQL with a table of so many units, and catalogs over it by their number."""

    def __init__(self, engine: SqlEngine, seed: str, count: int) -> None:
        self.sql = engine
        self.seed = seed
        self.name = f"units_{count}"
        # PostgreSQL has no text with NUL.
        self.table = table(Random(seed), count, nul=engine.dialect != "postgres")
        self.units = self.table["unit"].to_pylist()
        self.pool = listed(Random(seed), self.units)
        self.reasons: set[Reason] = set()
        engine.load(self.name, self.table)

    def catalog(self, number: int) -> Catalog:
        """The catalog of that number."""
        rng = Random(f"{self.seed}/{number}")
        return World(rng, self.pool, sql.DIALECTS[self.sql.dialect]).catalog()

    def run(self, catalogs: int) -> None:
        """So many catalogs; every second one with its lists in a table."""
        for number in range(catalogs):
            self.compare(number, from_table=number % 2 == 1)

    def until_every_reason(self) -> None:
        """Catalogs until every reason was given."""
        wanted = set(REASONS) - {Reason.UNKNOWN_EXPERIMENT, Reason.FAILED}
        for number in range(50):
            self.compare(number, from_table=number % 2 == 1)
            if self.reasons == wanted:
                return
        raise AssertionError(f"never given: {wanted - self.reasons}")

    def every_profile(self) -> int:
        """Each profile that the engine computes deals as the kernel does; how many there are."""
        able = [one for one in PROFILES.values() if can_draw(one, sql.DIALECTS[self.sql.dialect])]
        for profile in able:
            self.one(profile.name, dealt_by(profile, "it's a salt, é"))
        return len(able)

    def one(self, asked: str, catalog: Catalog) -> None:
        """The one experiment of a catalog."""
        engine = Engine(compile_catalog(catalog), note=None)
        query = sql.select(
            engine,
            "e",
            dialect=self.sql.dialect,
            table=self.name,
            unit="unit",
            columns=said(catalog),
            keep=["row"],
        )
        self.ask(asked, engine, "e", query, {})

    def compare(self, number: int, *, from_table: bool) -> None:
        """Every experiment of a catalog; lists stand in the statement or in a table."""
        catalog = self.catalog(number)
        kept = kept_rows(Random(number), catalog, self.units[:500])
        self.sql.load("kept_rows", table_of(kept, KEPT))
        engine = Engine(compile_catalog(catalog), note=None)
        for key, experiment in catalog.experiments.items():
            if from_table:
                self.sql.load("lists", table_of([*sql.lists(engine, key)] * 2, LISTS))
            query = sql.select(
                engine,
                key,
                dialect=self.sql.dialect,
                table=self.name,
                unit="unit",
                columns=said(catalog),
                keep=["row"],
                lists="lists" if from_table else None,
                kept="kept_rows" if experiment.keeps_assignments else None,
            )
            stored = standing(kept, experiment)
            self.ask(f"catalog {number}, {key}", engine, key, query, stored)

    def ask(
        self, asked: str, engine: Engine, key: str, query: str, kept: Mapping[str, str]
    ) -> None:
        """The rows of a statement are those that the kernel gives."""
        columns = "reason, treatment, revision"
        found = self.sql.rows(f"SELECT {columns} FROM ({query}) AS a ORDER BY row")
        stored = pa.array([kept.get(unit or "") for unit in self.units], pa.string())
        known = attributes(self.table)
        self.check(asked, found, engine.assign_many(key, self.table["unit"], known, stored=stored))

    def check(self, asked: str, found: list[Row], answer: Column) -> None:
        """The rows that were found are those of an answer; says which is not."""
        reasons = [REASONS[code] for code in answer.reasons]
        expected = list(zip(reasons, answer.names(), repeat(answer.revision)))
        assert len(found) == len(expected), f"{asked}: rows"
        if found != expected:
            wrong = [row for row, each in enumerate(expected) if found[row] != each]
            row = self.table.slice(wrong[0], 1).to_pylist()[0]
            said = f"{found[wrong[0]]}, and not {expected[wrong[0]]}"
            raise AssertionError(f"{asked}: {len(wrong)} rows differ, as {row}: {said}")
        self.reasons.update(reason for _, reason in answer.counts())
