"""A column is read as it was said, and one of another type makes the statement fail."""

from __future__ import annotations

from uuid import UUID

import pytest

from allotment import sql
from allotment.model.segment import Clause, Operator
from allotment.reference import assign
from sqlengines import SqlEngine
from sqlone import one_experiment

WRONG = {
    "text": ["1", "1.5", "TRUE", "DATE '2026-01-02'"],
    "integer": ["'1'", "CAST(1.5 AS DOUBLE PRECISION)", "1.5", "TRUE"],
    "float": ["'1'", "CAST(1 AS BIGINT)", "1.5", "TRUE"],
    "boolean": ["'true'", "CAST(1 AS BIGINT)"],
    "uuid": ["'12345678-9abc-def0-1234-56789abcdef0'"],
}
KEYS = ["1", "-7", "9223372036854775807", "-9223372036854775808", "0"]


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, some in WRONG.items() for v in some])
def test_a_column_of_another_type_is_refused_as_the_statement_runs(
    engine: SqlEngine, kind: str, value: str
) -> None:
    engine.run(f"DROP TABLE IF EXISTS typed; CREATE TABLE typed AS SELECT {value} AS a")
    clause = Clause(("a",), Operator.EXISTS)
    query = sql.select(
        one_experiment(clause),
        "e",
        dialect=engine.dialect,
        table="typed",
        unit="CAST(1 AS BIGINT):integer",
        columns={"a": f"a:{kind}"},
    )
    # An engine may see a type that cannot be before it asks the type that must be.
    with pytest.raises(engine.errors):
        engine.rows(query)


def test_whole_numbers_are_the_units_that_their_text_is(engine: SqlEngine) -> None:
    values = ", ".join(f"({key})" for key in KEYS)
    engine.run(
        "DROP TABLE IF EXISTS typed;"
        f"CREATE TABLE typed AS SELECT CAST(a AS BIGINT) AS a FROM (VALUES {values}) AS v(a)"
    )
    catalog = one_experiment()
    query = sql.select(catalog, "e", dialect=engine.dialect, table="typed", unit="a:integer")
    found = dict(engine.rows(f"SELECT a, treatment FROM ({query}) AS b"))
    assert found == {int(key): assign(catalog, "e", key).treatment for key in KEYS}
    assert set(found.values()) == {"control", "green"}


def test_a_uuid_is_the_unit_that_its_text_is(engine: SqlEngine) -> None:
    keys = [UUID(int=7**n << 20) for n in range(1, 30)]
    values = ", ".join(f"('{str(key).upper()}')" for key in keys)
    engine.run(
        "DROP TABLE IF EXISTS typed;"
        f"CREATE TABLE typed AS SELECT CAST(a AS UUID) AS a FROM (VALUES {values}) AS v(a)"
    )
    catalog = one_experiment()
    query = sql.select(catalog, "e", dialect=engine.dialect, table="typed", unit="a:uuid")
    found = dict(engine.rows(f"SELECT a, treatment FROM ({query}) AS b"))
    assert found == {key: assign(catalog, "e", str(key)).treatment for key in keys}


def test_a_collation_that_takes_texts_for_one_is_not_asked(engine: SqlEngine) -> None:
    engine.run("DROP TABLE IF EXISTS typed; DROP TABLE IF EXISTS lists")
    if engine.dialect == "postgres":
        engine.run(
            "CREATE COLLATION IF NOT EXISTS blind"
            " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
        collated = 'TEXT COLLATE "blind"'
    else:
        collated = "TEXT COLLATE NOCASE"
    engine.run(f"CREATE TABLE typed (a {collated}); INSERT INTO typed VALUES ('ann'), ('ANN')")
    [alike] = engine.rows("SELECT count(*) FROM typed WHERE a = 'ann'")
    assert alike == (2,)
    engine.run(
        f"CREATE TABLE lists (list TEXT, unit {collated}, treatment TEXT);"
        "INSERT INTO lists VALUES ('override/e', 'ann', 'green')"
    )
    catalog = one_experiment(Clause(("a",), Operator.IN, ("ANN",)), overrides=(("ann", "green"),))
    for lists in (None, "lists"):
        query = sql.select(
            catalog, "e", dialect=engine.dialect, table="typed", unit="a", lists=lists
        )
        found = dict(engine.rows(f"SELECT a, reason FROM ({query}) AS b"))
        assert found == {"ann": "OVERRIDE", "ANN": "ALLOCATED"}, lists


def test_a_text_with_leading_zeros_is_a_unit_of_its_own(engine: SqlEngine) -> None:
    engine.run("DROP TABLE IF EXISTS typed; CREATE TABLE typed AS SELECT CAST('007' AS TEXT) AS a")
    with pytest.raises(engine.errors, match="must be of the kind integer, and not"):
        engine.rows(
            sql.select(
                one_experiment(), "e", dialect=engine.dialect, table="typed", unit="a:integer"
            )
        )
    catalog = one_experiment(overrides=(("007", "green"), ("7", "control")))
    query = sql.select(catalog, "e", dialect=engine.dialect, table="typed", unit="a")
    assert engine.rows(f"SELECT treatment FROM ({query}) AS b") == [("green",)]
