"""Functions of DuckDB answer what a single call answers, whatever DuckDB makes of its rows."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import allotment
import nouns
from allotment.change.commands import SetWeights
from allotment.compile import compile_catalog
from allotment.duckdb import register
from allotment.errors import InvalidInput
from docs.blocks import HOUSE, block_with

SHOP = allotment.load(Path(__file__).parents[1] / "support/shop.yaml")
ROWS = 30_000  # several row groups, and many vectors of 2,048


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with a table of users, on two threads; the functions are registered."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            f"""CREATE TABLE users AS SELECT n, 'user-' || n AS id,
            ['SE', 'DE', NULL][1 + n % 3] AS country,
            CASE WHEN n % 5 > 0 THEN {{'version': (n % 4) || '.0.0'}} END AS app
            FROM range({ROWS}) r(n)"""
        )
        register(connection, SHOP)
        yield connection


def single(experiment: str, unit: str | int | None, **attributes: object) -> tuple[object, str]:
    answer = SHOP.assign(experiment, unit, attributes)  # type: ignore[arg-type]  # None is no unit
    return answer.treatment, answer.reason


def test_every_row_gets_what_a_single_call_gives(con: duckdb.DuckDBPyConnection) -> None:
    query = """SELECT n, assign('checkout', id, {'country': country}),
        assign_detail('by-device', id, {'app': app}), assign('plain', n) FROM users"""
    rows = con.sql(query).fetchall()
    assert len(rows) == ROWS
    reasons = Counter[object]()
    for n, checkout, device, plain in rows:
        assert checkout == single("checkout", f"user-{n}", country=["SE", "DE", None][n % 3])[0]
        app = {"version": f"{n % 4}.0.0"} if n % 5 else None
        treatment, reason = single("by-device", f"user-{n}", app=app)
        assert device == {
            "treatment": treatment, "reason": reason, "revision": SHOP.catalog.revision
        }  # fmt: skip
        assert plain == single("plain", str(n))[0]
        reasons[device["reason"]] += 1
    assert set(reasons) == {"ALLOCATED", "NOT_IN_AUDIENCE"}


@pytest.mark.parametrize(
    ("unit", "key"),
    [
        ("'é'", "é"),
        ("encode('é')", "é"),
        ("7::UTINYINT", 7),
        ("-7::BIGINT", -7),
        ("7::HUGEINT", 7),
        ("'a'::ENUM ('b', 'a')", "a"),
        ("'00000000-0000-0000-0000-00000000000a'::UUID", "00000000-0000-0000-0000-00000000000a"),
        ("''", ""),
        ("NULL", None),
        ("NULL::VARCHAR", None),
        (r"'\xFF'::BLOB", None),
    ],
)
def test_a_unit_of_any_type_is_the_same_unit(
    con: duckdb.DuckDBPyConnection, unit: str, key: str | int | None
) -> None:
    [(found,)] = con.sql(f"SELECT assign_detail('plain', {unit})").fetchall()
    assert (found["treatment"], found["reason"]) == single("plain", key)


def test_rows_may_name_several_experiments(con: duckdb.DuckDBPyConnection) -> None:
    query = """SELECT key, id, assign(key, id, {'country': country}) AS treatment,
        assign_detail(key, id, {'country': country}) AS detail
        FROM (SELECT *, ['checkout', 'plain', 'paused'][1 + n % 3]::KIND AS key FROM users)"""
    for kind in ("VARCHAR", "ENUM ('plain', 'paused', 'checkout')"):
        rows = con.sql(query.replace("KIND", kind)).fetchall()
        assert {key for key, *_ in rows} == {"checkout", "plain", "paused"}
        for key, unit, treatment, detail in rows:
            country = ["SE", "DE", None][int(unit[5:]) % 3]
            assert (treatment, detail["reason"]) == single(key, unit, country=country)


def test_the_whole_table_may_be_filtered_grouped_and_joined_by_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    counts = con.sql("SELECT assign('plain', id) AS t, count(*) FROM users GROUP BY t").fetchall()
    expected = Counter(SHOP.assign_many("plain", [f"user-{n}" for n in range(ROWS)]))
    assert dict(counts) == dict(expected)
    kept = con.sql("SELECT count(*) FROM users WHERE assign('plain', id) = 'new'").fetchall()
    assert kept == [(expected["new"],)]
    assert con.sql("SELECT assign('plain', id) FROM users LIMIT 0").fetchall() == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("assign('chekout', 'u')", "NotFound: there is no experiment 'chekout'"),
        ("assign(NULL, 'u')", "NotFound: there is no experiment None"),
        ("assign('plain')", "assign takes an experiment, a unit and, if need be, attributes"),
        ("assign_detail('plain', 'u', {'a': 1}, 2)", "assign_detail takes an experiment"),
        ("assign('plain', 'u', 'SE')", "are a struct, as {'country': country}, and not string"),
        ("assign('plain', 'u', MAP {'a': 1})", "are a struct"),
        ("assign('plain', 1.5)", "decimals with places behind the point"),
        ("assign('plain', DATE '2026-11-29')", "units are text or whole numbers"),
    ],
)
def test_what_cannot_be_answered_fails_the_query_with_what_to_do(
    con: duckdb.DuckDBPyConnection, call: str, said: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=re.escape(said)):
        con.sql(f"SELECT {call}").fetchall()


def test_attributes_may_be_null_or_left_out(con: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT assign_detail('checkout', 'u', NULL).reason, assign_detail('checkout', 'u').reason"
    )
    assert con.sql(query).fetchall() == [("NOT_IN_AUDIENCE", "NOT_IN_AUDIENCE")]
    some = """SELECT assign_detail('checkout', 'u', a).reason FROM
        (VALUES ({'country': 'SE'}), (NULL), ({'country': NULL})) v(a)"""
    reasons = [reason for (reason,) in con.sql(some).fetchall()]
    assert reasons == ["ALLOCATED", "NOT_IN_AUDIENCE", "NOT_IN_AUDIENCE"]


def test_queries_answer_from_the_revision_that_was_registered() -> None:
    before = nouns.catalog(nouns.experiment("checkout"))
    after = nouns.changed(before, SetWeights("checkout", "everyone", (("green", 100),), 100))
    engine = allotment.load(before)
    count = """SELECT count(*) FROM (SELECT assign_detail('checkout', n) AS d FROM range(1000) r(n))
        WHERE d.treatment = 'green' AND d.revision = $revision"""
    with duckdb.connect() as con:
        register(con, engine)
        [few] = con.execute(count, {"revision": before.revision}).fetchall()[0]
        assert 400 < few < 600
        engine.publish(compile_catalog(after))
        assert con.execute(count, {"revision": before.revision}).fetchall() == [(few,)]
        register(con, engine)
        assert con.execute(count, {"revision": after.revision}).fetchall() == [(1000,)]


def test_two_engines_have_functions_of_two_names(con: duckdb.DuckDBPyConnection) -> None:
    register(con, allotment.load(nouns.catalog(nouns.experiment("other"))), name="assign_b")
    query = "SELECT assign('plain', 'u'), assign_b('other', 'u'), assign_b_detail('other', 'u')"
    assert len(con.sql(query).fetchall()) == 1


def test_a_name_that_another_connection_gave_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(InvalidInput, match="a function 'assign' that another connection"):
        register(con.cursor(), SHOP)
    assert con.cursor().sql("SELECT assign('plain', 'u')").fetchall()  # made by the other


def test_a_stream_of_batches_goes_through_the_engine_and_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(HOUSE)
    made = block_with("docs/engines.md", "pyarrow").run()
    con, engine = made["con"], made["engine"]
    assert isinstance(con, duckdb.DuckDBPyConnection)
    assert isinstance(engine, allotment.Engine)
    register(con, engine)
    query = """SELECT treatment IS NOT DISTINCT FROM
        assign('price-page', user_id, {'country': country, 'age': age}) AS same, count(*)
        FROM assigned GROUP BY same"""
    assert con.sql(query).fetchall() == [(True, 300_000)]


def test_the_example_of_many_rows_agrees_in_all_its_ways(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = runpy.run_path(str(HOUSE / "examples/engines/duckdb_rows.py"))
    names["main"](20_000, tmp_path)
    assert capfd.readouterr().out.count(" million rows a second") == 4
