"""The statement and the kernel agree, in each engine that there is in every run."""

from __future__ import annotations

import pytest

from allotment import InvalidInput, sql
from allotment.model.segment import Clause, Not
from sqlagreeing import Bout
from sqlengines import SqlEngine
from sqlone import one_experiment
from sqlworld import CLAUSES, PATTERNS


@pytest.fixture(scope="module")
def bout(engine: SqlEngine, seed: int) -> Bout:
    return Bout(engine, f"{engine.dialect}/{seed}", 100_000)


@pytest.fixture(scope="module")
def few(engine: SqlEngine, seed: int) -> Bout:
    return Bout(engine, f"{engine.dialect}/{seed}", 2_000)


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
def test_a_clause_and_its_not_hold_for_the_same_rows(few: Bout, clause: Clause) -> None:
    for rule in (clause, Not(clause)):
        catalog = one_experiment(rule)
        if clause in PATTERNS and sql.DIALECTS[few.sql.dialect].pattern is None:
            with pytest.raises(InvalidInput, match="another language than RE2"):
                few.one(str(rule), catalog)
            continue
        few.one(str(rule), catalog)
