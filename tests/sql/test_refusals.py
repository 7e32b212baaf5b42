"""What an engine cannot compute exactly is refused, with the reason and the place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlglot

from allotment import InvalidInput, NotFound, sql
from allotment.model.keyed import Keyed
from allotment.model.segment import AllOf, Clause, IdList, Not, Operator, Segment
from allotment.sql import DIALECTS
from allotment.sql.lists import INLINE_MAX
from sqlone import one_experiment

AGE = Clause(("age",), Operator.AT_LEAST, (18,))
APP = Clause(("app", "version"), Operator.SEMVER_LESS, ("2.0.0",))
NORDIC = Clause(("country",), Operator.IN, ("SE", "NO"))
RELEASE = Clause(("version",), Operator.SEMVER_LESS, ("2.0.0-rc.1",))
PATTERN = Clause(("email",), Operator.MATCHES, ("^a",))


def written(*rules: Any, dialect: str = "duckdb", **options: Any) -> str:
    fields = options.pop("fields", {})
    asked = {"dialect": dialect, "table": "units", "unit": "unit"} | options
    return sql.select(one_experiment(*rules, **fields), "e", **asked)


def refusal(*rules: Any, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        written(*rules, **options)
    return str(caught.value)


@pytest.mark.parametrize("dialect", sorted({*DIALECTS} - {"clickhouse"}))
def test_only_clickhouse_computes_the_native_algorithm(dialect: str) -> None:
    fields = {"iteration": {"profile": "allotment-1"}}
    said = refusal(dialect=dialect, fields=fields)
    assert said.startswith(
        f"{DIALECTS[dialect].title} cannot compute the treatment draw, whose profile is"
        " 'allotment-1'; it can compute md5-1, eppo-1, "
    )
    assert "murmurHash3_128" in written(dialect="clickhouse", fields=fields)


@pytest.mark.parametrize("dialect", sorted({*DIALECTS} - {"clickhouse", "duckdb", "bigquery"}))
def test_patterns_are_for_engines_that_have_re2(dialect: str) -> None:
    assert refusal(PATTERN, dialect=dialect) == (
        f"{DIALECTS[dialect].title} has patterns of another language than RE2, which `matches` is"
        " in; use `in`, `starts_with`, `ends_with` or `contains` - at $.segments.s"
    )


def test_pre_releases_are_not_ordered() -> None:
    assert "does not order the pre-releases" in refusal(RELEASE)


def test_a_number_that_engines_may_read_each_in_its_own_way_is_refused() -> None:
    precise = Clause(("score",), Operator.LESS, (0.30000000000000004,))
    assert "not every engine reads 0.30000000000000004 alike" in refusal(
        precise, columns={"score": "score:float"}
    )
    assert "0.3" in written(replace(precise, values=(0.3,)), columns={"score": "score:float"})


def test_what_a_column_holds_must_be_said_where_the_clauses_leave_it_open() -> None:
    assert refusal(AGE).startswith("say what the column of 'age' holds, as in age:integer")
    text_too = Clause(("age",), Operator.IN, ("18",))
    assert refusal(AllOf((AGE, text_too))).startswith("say what the column of 'age' holds")
    there = Clause(("age",), Operator.EXISTS)
    assert refusal(there).startswith("say what the column of 'age' holds")
    assert "age <= 17" not in written(AGE, columns={"age": "age:integer"})


def test_a_nested_attribute_needs_its_column() -> None:
    assert "app.version=COLUMN" in refusal(APP)
    assert "SPLIT_PART" in written(APP, columns={"app.version": "version"})


def test_an_attribute_that_the_catalog_does_not_know_is_refused() -> None:
    said = refusal(NORDIC, columns={"contry": "c"})
    assert said == ("there is no attribute 'contry'; do you mean 'country'?; there are: country")


def test_an_attribute_that_no_unit_has_holds_for_nothing() -> None:
    text = written(Not(NORDIC), columns={"country": None})
    assert "country" not in text
    assert "TRUE AS allotment_s0" in text


def test_an_experiment_that_keeps_assignments_needs_their_table() -> None:
    assert refusal(fields={"keeps_assignments": True}) == (
        "the experiment keeps assignments: name the table that has them (`kept`, or --kept), of"
        " experiment, iteration, unit, turn and treatment; it may be empty - at $.experiments.e"
    )


def test_long_lists_need_a_table() -> None:
    ids = IdList.of(f"user-{number}" for number in range(INLINE_MAX + 1))
    fields = {"segments": [Segment("s", include=ids)], "iteration": {"audience": "s"}}
    assert refusal(fields=fields) == (
        "the experiment asks lists of 1,001 ids, and a statement holds at most 1,000: name a"
        " table of lists that it joins (`lists`, or --lists)"
    )
    text = written(fields=fields, lists="lists")
    assert "user-1" not in text
    assert "segment/s/include" in text
    rows = [*sql.lists(one_experiment(**fields), "e")]
    assert len(rows) == INLINE_MAX + 1
    assert rows[0] == ("segment/s/include", "user-0", None)


def test_a_text_that_holds_nul_is_refused() -> None:
    assert "NUL" in refusal(Clause(("country",), Operator.IN, ("a\0b",)))


@pytest.mark.parametrize(
    "column",
    ["", "a, b", "a AS b", "(SELECT 1)", "*", "a; DROP TABLE b", "'a", "allotment_unit", "a:float"],
)
def test_what_is_no_column_of_units_is_refused(column: str) -> None:
    refusal(unit=column)


def test_the_names_of_the_result_are_its_own() -> None:
    assert "names of their own" in refusal(keep=["reason"])
    assert "names of their own" in refusal(keep=["unit"])
    assert "names of their own" in refusal(keep=["a + b"])


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match="do you mean 'duckdb'"):
        written(dialect="duckdbb")
    with pytest.raises(NotFound, match="there is no experiment 'x'"):
        sql.select(one_experiment(), "x", dialect="duckdb", table="t", unit="u")


def test_an_experiment_that_cannot_be_compiled_is_refused_with_its_reason() -> None:
    catalog = one_experiment(holdout="gone")
    with pytest.raises(InvalidInput, match="names 'gone', which is not there"):
        sql.select(catalog, "e", dialect="duckdb", table="t", unit="u")


@pytest.mark.parametrize("dialect", ["bigquery", "spark"])
def test_some_engines_have_no_type_of_uuids(dialect: str) -> None:
    assert f"{DIALECTS[dialect].title} has no type for" in refusal(unit="id:uuid", dialect=dialect)


def test_bigquery_tries_an_operator_of_one_type() -> None:
    text = written(AGE, columns={"age": "age:integer"}, dialect="bigquery")
    assert "age | 0" in text
    assert "unit || ''" in text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_written_reads_as_the_dialects_own(dialect: str) -> None:
    version = Clause(("version",), Operator.SEMVER_AT_LEAST, ("1.10.0",))
    texts = [
        Clause(("email",), operator, ("it's", "a\\b", "é\n"))
        for operator in (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.IN)
    ]
    rules = [AllOf((NORDIC, AGE)), version, *texts, Clause(("score",), Operator.LESS, (0.5,))]
    text = written(
        *rules,
        dialect=dialect,
        columns={"age": "age:integer", "score": "score:float"},
        keep=["country"],
        lists="shop.lists",
        kept="kept_rows",
        fields={"keeps_assignments": True, "overrides": (("it's", "green"),)},
    )
    [read] = sqlglot.parse(text, read=dialect)
    assert read is not None
    assert read.named_selects == ["unit", "country", "treatment", "reason", "revision"]
    again = read.sql(dialect=dialect, pretty=True, comments=False)
    assert sqlglot.parse_one(again, read=dialect) == read


def test_a_catalog_and_its_engine_are_the_same_source() -> None:
    import allotment

    catalog = one_experiment(NORDIC)
    asked: dict[str, Any] = {"dialect": "postgres", "table": "units", "unit": "unit"}
    engine = allotment.load(catalog)
    assert sql.select(engine, "e", **asked) == sql.select(catalog, "e", **asked)
    assert isinstance(catalog.segments, Keyed)
