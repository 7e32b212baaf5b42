"""ClickHouse, in this process: `allotment-1` itself, exact in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from allotment import sql
from allotment.model.segment import Clause, Not, Operator
from allotment.reference import assign
from sqlagreeing import Bout
from sqlengines import ClickHouse
from sqllargest import LARGEST
from sqlone import one_experiment
from sqlworld import CLAUSES, PATTERNS


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    engine = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    yield engine
    engine.close()


def test_clickhouse_and_the_kernel_give_a_hundred_thousand_units_the_same(
    clickhouse: ClickHouse, seed: int
) -> None:
    bout = Bout(clickhouse, f"clickhouse/{seed}", 100_000)
    bout.run(catalogs=10)
    Bout(clickhouse, f"clickhouse/{seed}", 4_000).until_every_reason()
    assert bout.every_profile() >= 20


COLUMNS = {
    "text": ["String", "Nullable(String)", "LowCardinality(String)"],
    "integer": ["Int8", "UInt64", "Nullable(Int32)"],
    "float": ["Float32", "Float64", "Nullable(Float64)"],
    "boolean": ["Bool", "Nullable(Bool)"],
    "uuid": ["UUID", "Nullable(UUID)"],
}
OTHERS = ["FixedString(2)", "Enum8('18' = 1)", "Date", "Decimal(9, 2)", "Array(String)"]


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_is_of_its_kind_or_refused_as_the_statement_runs(
    clickhouse: ClickHouse, kind: str
) -> None:
    for other, types in (COLUMNS | {"": OTHERS}).items():
        for name in types:
            clickhouse.run(
                f"DROP TABLE IF EXISTS typed; CREATE TABLE typed (a {name}) ENGINE = Log"
            )
            query = sql.select(
                one_experiment(Clause(("a",), Operator.EXISTS)),
                "e",
                dialect="clickhouse",
                table="typed",
                unit="CAST(1 AS Int64):integer",
                columns={"a": f"a:{kind}"},
            )
            if other == kind:
                clickhouse.rows(query)
                continue
            # An empty table of another type has nothing to refuse.
            clickhouse.run("INSERT INTO typed SELECT * FROM generateRandom() LIMIT 1")
            with pytest.raises(clickhouse.errors):
                clickhouse.rows(query)


def test_bytes_that_are_no_utf8_are_no_unit_and_hold_for_nothing(clickhouse: ClickHouse) -> None:
    clickhouse.run(
        "DROP TABLE IF EXISTS bytes; CREATE TABLE bytes (place Int64, a String) ENGINE = Memory;"
        "INSERT INTO bytes VALUES (0, unhex('FF61')), (1, unhex('61FF')), (2, 'a')"
    )

    def reasons(unit: str, *rules: Clause) -> list[str]:
        query = sql.select(
            one_experiment(*rules), "e", dialect="clickhouse", table="bytes", unit=unit,
            columns={"a": "a:text"} if rules else {}, keep=["place"],
        )  # fmt: skip
        found = clickhouse.rows(f"SELECT reason FROM ({query}) ORDER BY place")
        return [reason for (reason,) in found]

    assert reasons("a") == ["NO_UNIT", "NO_UNIT", "ALLOCATED"]
    for operator, holds in (
        (Operator.CONTAINS, [False, False, True]),
        (Operator.STARTS_WITH, [False, False, True]),
        (Operator.MATCHES, [False, False, True]),
        (Operator.EXISTS, [True, True, True]),
    ):
        clause = Clause(("a",), operator, () if operator is Operator.EXISTS else ("a",))
        given = reasons("place + 0:integer", clause)
        assert [reason == "ALLOCATED" for reason in given] == holds, operator


def test_whole_numbers_of_64_bits_are_the_units_that_their_text_is(clickhouse: ClickHouse) -> None:
    keys = [0, 7, 2**63, 2**64 - 1]
    clickhouse.run(
        "DROP TABLE IF EXISTS wide; CREATE TABLE wide (a UInt64) ENGINE = Memory;"
        f"INSERT INTO wide VALUES {', '.join(f'({key})' for key in keys)}"
    )
    catalog = one_experiment()
    query = sql.select(catalog, "e", dialect="clickhouse", table="wide", unit="a:integer")
    found = dict(clickhouse.rows(f"SELECT a, treatment FROM ({query})"))
    assert found == {key: assign(catalog, "e", key).treatment for key in keys}


def test_the_largest_is_the_kernels(clickhouse: ClickHouse) -> None:
    bout = Bout(clickhouse, "largest", 2_000)
    for what, catalog in LARGEST.items():
        bout.one(what, catalog())


def test_a_clause_and_its_not_hold_for_the_same_rows(clickhouse: ClickHouse) -> None:
    bout = Bout(clickhouse, "clauses", 2_000)
    for clause in (*CLAUSES, *PATTERNS):
        for rule in (clause, Not(clause)):
            bout.one(str(rule), one_experiment(rule))
