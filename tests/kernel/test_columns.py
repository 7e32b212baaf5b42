"""Attributes of a batch: every form of column means what the single call's dicts mean."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.idset import IdSet
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment
from kernel.batching import (
    NOT_IN_AUDIENCE,
    SWEDES,
    Stream,
    batched,
    clause,
    in_sweden,
    plan_of,
    segment_where,
    singly,
)
from kernel.making import AND, CLAUSE, LIST, NOT, OR, program

COUNTRIES = ["SE", "NO", None, "SE", "", "S", "SEE", "se", "é", "a text of more than sixteen bytes",
             "a text of more than sixteen bytez", "DE", None, "SE", "é"]  # fmt: skip
UNITS = [f"user-{i}" for i in range(len(COUNTRIES))]
ROWS = [{"country": country} for country in COUNTRIES]


def audience(segment: Segment) -> Plan:
    return plan_of(segments=(segment,), audience=0)


SWEDISH = audience(SWEDES)

FORMS: dict[str, Callable[[list[str | None]], object]] = {
    "list": lambda column: {"country": column},
    "tuple": lambda column: {"country": tuple(column)},
    "numpy objects": lambda column: {"country": np.array(column, dtype=object)},
    "utf8": lambda column: {"country": pa.array(column)},
    "utf8_view": lambda column: {"country": pa.array(column, pa.string_view())},
    "large_utf8": lambda column: {"country": pa.array(column, pa.large_string())},
    "dictionary": lambda column: {"country": pa.array(column).dictionary_encode()},
    "dictionaries by chunk": lambda column: {
        "country": pa.chunked_array(
            [
                pa.array(part, pa.string()).dictionary_encode()
                for part in (column[:5], column[5:6], [], column[6:])
            ]
        )
    },
    "a dictionary with null words": lambda column: {
        "country": pa.DictionaryArray.from_arrays(
            pa.array(range(len(column)), pa.int8()), pa.array(column)
        )
    },
    "a dictionary of many words": lambda column: {
        "country": pa.DictionaryArray.from_arrays(
            pa.array(range(70_000, 70_000 + len(column)), pa.uint32()),
            pa.array([*map(str, range(70_000)), *column]),
        )
    },
    "binary": lambda column: {"country": pa.array(column).cast(pa.binary())},
    "chunked": lambda column: {
        "country": pa.chunked_array([pa.array(column)[:5], pa.array(column)[5:]])
    },
    "polars": lambda column: {"country": pl.Series(column)},
    "polars category": lambda column: {"country": pl.Series(column, dtype=pl.Categorical)},
    "pandas": lambda column: {"country": pd.Series(column, dtype="str")},
    "table": lambda column: pa.table({"other": range(len(column)), "country": column}),
    "record batch": lambda column: pa.record_batch({"country": column}),
    "struct array": lambda column: pa.StructArray.from_arrays([pa.array(column)], ["country"]),
    "polars frame": lambda column: pl.DataFrame({"country": column}),
    "pandas frame": lambda column: pd.DataFrame({"country": pd.Series(column, dtype="str")}),
    "stream": lambda column: Stream(pa.table({"country": column})),
    "duckdb": lambda column: duckdb.sql("SELECT unnest($1) AS country", params=[column]),
    "dicts": lambda column: [{"country": country} for country in column],
    "dicts without nulls": lambda column: [{"country": k} if k is not None else {} for k in column],
    "mappings": lambda column: [dict_like({"country": country}) for country in column],
    "ordered dicts": lambda column: [OrderedDict(country=country) for country in column],
    "default dicts": lambda column: [defaultdict(int, country=country) for country in column],
    "a list of its own type": lambda column: Items({"country": country} for country in column),
    "a column of its own type": lambda column: {"country": Items(column)},
}


class Items(list[Any]):
    """A list that is not exactly one."""


def dict_like(items: dict[str, object]) -> Mapping[str, object]:
    class Rows(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            return items[key]

        def __iter__(self) -> Iterator[str]:
            return iter(items)

        def __len__(self) -> int:
            return len(items)

    return Rows()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_attributes_gives_the_outcomes_of_the_single_call(form: str) -> None:
    found = batched(SWEDISH, UNITS, FORMS[form](COUNTRIES))
    assert found == singly(SWEDISH, UNITS, ROWS)
    assert Counter(reason for reason, _ in found)[NOT_IN_AUDIENCE] == len(UNITS) - 3


def test_numpy_text_has_no_nulls_and_else_means_the_same() -> None:
    text = [country or "" for country in COUNTRIES]
    expected = singly(SWEDISH, UNITS, [{"country": k} for k in text])
    assert batched(SWEDISH, UNITS, {"country": np.array(text)}) == expected
    assert batched(SWEDISH, UNITS, {"country": np.array([k.encode() for k in text])}) == expected
    wide = np.array([*text[:-1], "x" * 1000])
    assert batched(SWEDISH, UNITS, {"country": wide})[:-1] == expected[:-1]


def kind_of(value: object) -> int:
    """A bit for each kind of value that a clause can tell apart."""
    match value:
        case bool():
            return 1
        case int():
            return 2
        case float():
            return 8
        case str():
            return 16
    return 32


def exactly(bit: int) -> Plan:
    return audience(segment_where(("x",), lambda value: kind_of(value) == bit))


TYPED = {
    "bool": (pa.array([True, False, None]), 1),
    "numpy bool": (np.array([True, False]), 1),
    "int8": (pa.array([1, -1, None], pa.int8()), 2),
    "uint64": (pa.array([0, 2**64 - 1, None], pa.uint64()), 2),
    "numpy uint64": (np.array([0, 2**64 - 1], dtype=np.uint64), 2),
    "dictionary of numbers": (pa.array([1, 7, None, 1]).dictionary_encode(), 2),
    "float": (pa.array([1.0, -0.0, None]), 8),
    "float32": (pa.array([1.5, 2.5, None], pa.float32()), 8),
    "numpy float16": (np.array([1.5, 2.5], dtype=np.float16), 8),
    "nan": (np.array([math.nan, -math.nan]), 0),  # no number, and so absent
    "text": (pa.array(["1", None]), 16),
    "broken text": (pa.array([b"\xff", b"\xed\xa0\x80" * 9, None], pa.binary()), 32),
    "struct": (pa.array([{"y": 1}, None]), 32),
    "dicts": ([{"y": 1}, None], 32),
    "objects": ([object(), b"\xff", None, {"y": 1}], 32),
    "numpy scalars": ([np.float64(1.5), None], 8),
    "numpy integers": ([np.int32(5), np.uint8(1), None], 2),
    "numpy text": ([np.str_("a"), "b", "\ud800", None], 16),
    "big integers": ([2**70, -(2**64), 5], 2),
    "booleans in a list": ([True, False, None], 1),
}


@pytest.mark.parametrize("form", TYPED)
@pytest.mark.parametrize("bit", [1, 2, 8, 16, 32])
def test_values_keep_their_type(form: str, bit: int) -> None:
    column, kind = TYPED[form]
    values = column.to_pylist() if isinstance(column, pa.Array) else list(column)
    reasons = [reason for reason, _ in batched(exactly(bit), range(len(values)), {"x": column})]
    assert [reason != NOT_IN_AUDIENCE for reason in reasons] == [
        value is not None and kind == bit for value in values
    ]


LISTS = [["SE"], ["NO", "SE"], [], None, ["NO"], [None, "SE"], [None], ["NO", None]]


@pytest.mark.parametrize(
    "column",
    [LISTS, pa.array(LISTS), pa.array(LISTS, pa.large_list(pa.string_view())),
     pa.chunked_array([pa.array(LISTS)[:3], pa.array(LISTS)[3:]]), pl.Series(LISTS),
     [tuple(k) if k else k for k in LISTS], np.array([*LISTS, 0], dtype=object)[:-1]],
    ids=["list", "arrow", "large", "chunked", "polars", "tuples", "numpy"],
)  # fmt: skip
def test_a_list_matches_where_any_of_its_elements_does(column: object) -> None:
    units = UNITS[: len(LISTS)]
    expected = singly(SWEDISH, units, [{"country": value} for value in LISTS])
    assert batched(SWEDISH, units, {"country": column}) == expected
    assert [reason != NOT_IN_AUDIENCE for reason, _ in expected] == [
        bool(value) and "SE" in value for value in LISTS
    ]


def test_a_list_within_a_list_is_passed_over_and_a_dict_within_one_is_not() -> None:
    exists = audience(segment_where(("x",), lambda value: True))
    for rows in ([[["a"]], [[]], None], [[{"a": 1}], [{}], None]):
        expected = singly(exists, UNITS[:3], [{"x": value} for value in rows])
        assert batched(exists, UNITS[:3], {"x": rows}) == expected
        assert batched(exists, UNITS[:3], {"x": pa.array(rows)}) == expected


NESTED = [
    {"a": {"b": "SE"}},
    {"a": {"b": "NO"}},
    {"a": {"b": None}},
    {"a": None},
    {"a": {"b": "SE"}},
]
DEEP = audience(segment_where(("a", "b"), in_sweden))


@pytest.mark.parametrize(
    "attributes",
    [NESTED, pa.table({"a": [row["a"] for row in NESTED]}), {"a": [row["a"] for row in NESTED]},
     {"a": pa.array([row["a"] for row in NESTED])}, pl.DataFrame(NESTED),
     {"a": {"b": ["SE", "NO", None, None, "SE"]}}, pa.array([None, *NESTED])[1:],
     {"a": np.array([row["a"] for row in NESTED], dtype=object)}],
    ids=["dicts", "table", "column of dicts", "struct", "polars", "columns", "sliced", "numpy"],
)  # fmt: skip
def test_a_path_is_walked_through_structs_and_dicts(attributes: object) -> None:
    assert batched(DEEP, UNITS[:5], attributes) == singly(DEEP, UNITS[:5], NESTED)


@pytest.mark.parametrize(
    "attributes",
    [None, {}, {"other": ["SE"] * 3}, {"a": ["SE"] * 3}, {"a": np.array(["SE"] * 3)}, [{}] * 3,
     {"a": pa.array(["SE"] * 3)}, pa.table({"other": [1, 2, 3]}), [None] * 3, [1, "a", b""],
     {"a": {}}, {"a": pa.array([{"c": "SE"}] * 3)}, pa.table({"a": [{"c": "SE"}] * 3})],
    ids=lambda given: type(given).__name__,
)  # fmt: skip
def test_what_is_not_there_is_absent(attributes: object) -> None:
    assert {reason for reason, _ in batched(DEEP, UNITS[:3], attributes)} == {NOT_IN_AUDIENCE}


def test_a_mapping_that_raises_is_absent() -> None:
    class Hostile(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            raise RuntimeError

        def __iter__(self) -> Iterator[str]:
            raise RuntimeError

        def __len__(self) -> int:
            return 1

    found = batched(SWEDISH, ["a", "b"], [Hostile(), {"country": "SE"}])
    assert [reason == NOT_IN_AUDIENCE for reason, _ in found] == [True, False]


@pytest.mark.parametrize(
    "attributes",
    [{"country": ["SE"]}, {"country": np.array(["SE"])}, {"country": pa.array(["SE"])},
     pa.table({"country": ["SE"]}), [{"country": "SE"}], {"country": "SE"}, {"country": 1}, 5, "SE",
     {"country": np.array([["SE", "NO"]])}, {"country": pa.array([b"ab", b"cd"], pa.binary(2))},
     {"country": np.array([1, 2], "m8[s]")},
     {"country": pa.array([1, 2], pa.duration("s"))}],
    ids=lambda given: type(given).__name__,
)  # fmt: skip
def test_a_column_that_does_not_fit_the_units_is_refused_with_its_place(attributes: object) -> None:
    with pytest.raises(InvalidInput, match=r"\$\.attributes"):
        batched(SWEDISH, ["a", "b"], attributes)


@pytest.mark.parametrize("threads", [1, 2])
def test_each_distinct_value_is_decided_once_a_worker(threads: int) -> None:
    asked: Counter[object] = Counter()

    def counted(value: object) -> bool:
        asked[value] += 1
        return in_sweden(value)

    plan = audience(segment_where(("country",), counted))
    column = pa.array(["SE", "NO", None, "DE"] * 20_000)
    batched(plan, range(80_000), {"country": column}, threads=threads)
    # The segment's own memo lies under the batch, so that even two workers ask only once.
    assert asked == {"SE": 1, "NO": 1, "DE": 1}


def test_more_values_than_the_memo_holds_are_all_decided() -> None:
    plan = audience(segment_where(("x",), lambda value: type(value) is int and value % 3 == 0))
    found = batched(plan, range(50_000), {"x": np.arange(50_000)})
    assert [reason != NOT_IN_AUDIENCE for reason, _ in found] == [k % 3 == 0 for k in range(50_000)]


YOUNG = clause(1, lambda value: type(value) is int and value < 30)
MIXED = Segment(
    program(
        (CLAUSE, 0), (CLAUSE, 1), (AND, 2), (LIST, 0), (OR, 2), (CLAUSE, 2), (NOT, 0), (AND, 2)
    ),
    [
        (("country",), clause(0, in_sweden)),
        (("age",), YOUNG),
        (("tags",), clause(2, lambda value: value == "blocked")),
    ],
    [IdSet(["user-1", "user-7"])],
    1,
    0,
)
WIDE = Segment(
    program((CLAUSE, 130), (CLAUSE, 1), (OR, 2)),
    [
        (("country",), lambda value: (int(value == "SE") << 130).to_bytes(24, "little")),
        (("age",), lambda value: (int(value == 30) << 1).to_bytes(24, "little")),
    ],
    [],
    3,
    0,
)
VALUES = st.sampled_from(
    ["SE", "NO", "", None, 29, 30, 29.5, True, False, "blocked", 2**65, "\ud800"]
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "country": VALUES,
            "age": VALUES,
            "tags": VALUES | st.lists(VALUES, max_size=3),
        },
    ),
    max_size=30,
)


@pytest.mark.parametrize("segment", [MIXED, WIDE, SWEDES], ids=["lists", "many words", "one field"])
@given(PEOPLE)
def test_rows_and_columns_give_the_outcomes_of_the_single_call(
    segment: Segment, people: list[dict[str, object]]
) -> None:
    plan = audience(segment)
    units = [f"user-{i}" for i in range(len(people))]
    expected = singly(plan, units, people)
    assert batched(plan, units, people) == expected
    columns = {name: [row.get(name) for row in people] for name in ("country", "age", "tags")}
    assert batched(plan, units, columns) == expected


@given(st.lists(st.tuples(st.sampled_from(["SE", "NO", None]), st.none() | st.integers(20, 40))))
def test_typed_columns_of_several_attributes_meet_in_one_segment(
    people: list[tuple[str | None, int | None]],
) -> None:
    plan = audience(MIXED)
    units = [f"user-{i}" for i in range(len(people))]
    rows = [{"country": country, "age": age} for country, age in people]
    table = pa.table(
        {
            "country": pa.array([country for country, _ in people], pa.string()),
            "age": pa.array([age for _, age in people], pa.int16()),
        }
    )
    assert batched(plan, units, table) == singly(plan, units, rows)


def test_a_type_that_no_clause_could_see_is_refused_with_the_column_and_its_format() -> None:
    table = pa.table({"country": pa.array([timedelta(1)])})
    said = r"a duration \(format 'tDu'\); CAST it to text, .* - at \$\.attributes\.country$"
    with pytest.raises(InvalidInput, match=said):
        batched(plan_of(segments=(SWEDES,), audience=0), ["user-1"], table)
