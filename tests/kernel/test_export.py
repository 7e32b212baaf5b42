"""Results as Arrow data, read by consumers that know nothing of us."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.export import export_column, export_table

NAMES = ("control", "größer", "")


class Exported:
    """What has an Arrow array to show."""

    def __init__(self, make: Callable[[], tuple[object, object]]) -> None:
        self.make = make

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self.make()


def column(codes: Sequence[int], names: Sequence[str] = NAMES) -> Exported:
    return Exported(lambda: export_column(np.array(codes, dtype=np.int16), names))


def table(**columns: Sequence[int]) -> Exported:
    pairs = [(np.array(codes, dtype=np.int16), NAMES) for codes in columns.values()]
    return Exported(lambda: export_table(list(columns), pairs))


@given(st.lists(st.integers(-1, 2)))
def test_a_column_is_a_dictionary_with_a_null_for_each_minus_one(codes: list[int]) -> None:
    array = pa.array(column(codes))
    array.validate(full=True)
    assert array.type == pa.dictionary(pa.int16(), pa.string())
    assert array.to_pylist() == [None if code < 0 else NAMES[code] for code in codes]
    assert array.null_count == codes.count(-1)
    assert array.dictionary.to_pylist() == list(NAMES)


def test_polars_reads_a_column_and_a_table() -> None:
    series = pl.Series(column([0, -1, 1, 0]))
    assert series.to_list() == ["control", None, "größer", "control"]
    frame = pl.DataFrame(table(one=[0, -1], two=[1, 1]))
    assert frame.rows() == [("control", "größer"), (None, "größer")]


def test_duckdb_counts_a_table() -> None:
    frame = pl.DataFrame(table(one=[0, -1, 0], two=[1, 1, 0]))
    counted = duckdb.sql("SELECT one::text, count(*) FROM frame GROUP BY one ORDER BY 2")
    assert counted.fetchall() == [(None, 1), ("control", 2)]
    assert frame.height == 3


def test_a_table_is_a_record_batch() -> None:
    batch = pa.record_batch(table(one=[0, -1], two=[2, 1]))
    batch.validate(full=True)
    assert batch.schema.names == ["one", "two"]
    assert batch.to_pydict() == {"one": ["control", None], "two": ["", "größer"]}


@pytest.mark.parametrize("columns", [{}, {"one": []}])
def test_a_table_may_be_empty(columns: dict[str, list[int]]) -> None:
    batch = pa.record_batch(table(**columns))
    assert (batch.num_rows, batch.num_columns) == (0, len(columns))


def test_many_names_and_rows_survive_the_arrays_they_came_from() -> None:
    names = [f"treatment-{i}" for i in range(256)]
    codes = np.tile(np.arange(-1, 256, dtype=np.int16), 1000)
    made = export_column(codes[::-1], names)
    expected = [None if code < 0 else names[code] for code in codes[::-1]]
    array = pa.array(Exported(lambda: made))
    codes.fill(0)
    del codes
    gc.collect()
    assert array.to_pylist() == expected


def test_children_that_are_moved_out_of_a_table_outlive_it() -> None:
    batch = pa.record_batch(table(one=[0, -1, 1]))
    one = batch.column(0)
    del batch
    gc.collect()
    assert one.to_pylist() == ["control", None, "größer"]


@pytest.mark.memory
def test_capsules_that_nobody_reads_leak_nothing() -> None:
    codes = np.zeros(200_000, dtype=np.int16)

    def spend() -> None:
        for _ in range(200):
            export_column(codes, NAMES)
            export_table(["one"], [(codes, NAMES)])

    spend()
    before = resident()
    for _ in range(3):
        spend()
    assert resident() - before < 40_000_000  # of 480 MB that were allocated


def resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        (np.array([0, 3], np.int16), NAMES),
        (np.array([-2], np.int16), NAMES),
        (np.array([0], np.int16), ()),
        (np.array([0]), NAMES),
        (np.array([[0]], np.int16), NAMES),
        ([0], NAMES),
    ],
    ids=repr,
)
def test_codes_that_name_nothing_are_refused(codes: object, names: Sequence[str]) -> None:
    with pytest.raises(InvalidInput, match="codes"):
        export_column(codes, names)  # type: ignore[arg-type]


def test_columns_of_unequal_length_are_refused() -> None:
    codes = np.zeros(2, dtype=np.int16)
    with pytest.raises(InvalidInput):
        export_table(["one", "two"], [(codes, NAMES), (codes[:1], NAMES)])
    with pytest.raises(InvalidInput):
        export_table(["one"], [(codes, NAMES), (codes, NAMES)])


WITHOUT_PYARROW = """
    import sys
    sys.modules["pyarrow"] = None
    import duckdb, numpy as np, polars as pl
    from allotment.kernel.batch import assign_columns
    from allotment.kernel.export import export_column, export_table
    from kernel.batching import SWEDES, plan_of

    class Exported:
        def __init__(self, made):
            self.made = made
        def __arrow_c_array__(self, requested_schema=None):
            return self.made

    plan = plan_of(segments=(SWEDES,), audience=0)
    ids, country = [f"user-{i}" for i in range(5000)], ["SE", "NO", None, "SE", "DE"] * 1000
    expected = assign_columns([plan], ids, {"country": country})[0]

    def check(units, attributes):
        found = assign_columns([plan], units, attributes)[0]
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))

    frame = pl.DataFrame({"id": ids, "country": country})
    check(frame["id"], frame)
    check(frame["id"], {"country": frame["country"].cast(pl.Categorical)})
    check(duckdb.sql("SELECT 'user-' || i AS id FROM range(5000) t(i) ORDER BY i"),
          duckdb.sql("SELECT ['SE', 'NO', NULL, 'SE', 'DE'][1 + i % 5] AS country "
                     "FROM range(5000) t(i) ORDER BY i"))

    codes = expected[0]
    back = pl.Series(Exported(export_column(codes, plan.names)))
    assert back.to_list() == [None if k < 0 else plan.names[k] for k in codes]
    table = pl.DataFrame(Exported(export_table(["e"], [(codes, plan.names)])))
    assert table["e"].null_count() == (codes < 0).sum()
    assert sys.modules["pyarrow"] is None
    print("read without it")
"""


def test_polars_and_duckdb_are_read_and_fed_where_pyarrow_cannot_be_imported() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT_PYARROW)],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("read without it\n", "")
