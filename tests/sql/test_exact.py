"""The statement and the kernel agree, in each engine that there is in every run."""

from __future__ import annotations

from typing import Any

import pytest

from allotment import REASONS, Engine, InvalidInput, sql
from allotment.compile import compile_catalog
from allotment.model.segment import Clause, Not
from sqlagreeing import Bout
from sqlengines import SqlEngine
from sqlone import one_experiment
from sqlworld import CLAUSES, PATTERNS, attributes, said


@pytest.fixture(scope="module")
def bout(engine: SqlEngine, seed: int) -> Bout:
    return Bout(engine, f"{engine.dialect}/{seed}", 100_000)


def test_random_catalogs_give_a_hundred_thousand_units_the_same(bout: Bout) -> None:
    bout.run(catalogs=3)


def test_every_reason_is_given_to_the_same_units(engine: SqlEngine, seed: int) -> None:
    Bout(engine, f"{engine.dialect}/{seed}", 4_000).until_every_reason()


@pytest.mark.soak
def test_many_random_catalogs_give_the_same(engine: SqlEngine, seed: int) -> None:
    Bout(engine, f"{engine.dialect}/soak/{seed}", 4_000).run(catalogs=150)


def test_every_profile_that_an_engine_computes_is_the_kernels(bout: Bout) -> None:
    assert bout.every_profile() >= 7


def named(clause: Clause) -> str:
    return f"{clause.attribute[-1]}-{clause.operator}-{len(clause.values)}"


@pytest.mark.parametrize("clause", [*CLAUSES, *PATTERNS], ids=named)
def test_a_clause_and_its_not_hold_for_the_same_rows(bout: Bout, clause: Clause) -> None:
    rows = bout.table.slice(0, 2_000)
    bout.sql.load("few", rows)
    for rule in (clause, Not(clause)):
        catalog = one_experiment(rule)
        engine = Engine(compile_catalog(catalog), note=None)
        asked: dict[str, Any] = {
            "dialect": bout.sql.dialect,
            "table": "few",
            "unit": "unit",
            "keep": ["row"],
            "columns": said(catalog),
        }
        if clause in PATTERNS and sql.DIALECTS[bout.sql.dialect].pattern is None:
            with pytest.raises(InvalidInput, match="another language than RE2"):
                sql.select(engine, "e", **asked)
            continue
        query = sql.select(engine, "e", **asked)
        found = bout.sql.rows(f"SELECT reason FROM ({query}) AS a ORDER BY row")
        column = engine.assign_many("e", rows["unit"], attributes(rows))
        assert [reason for (reason,) in found] == [REASONS[code] for code in column.reasons]
