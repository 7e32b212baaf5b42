"""Units of a batch: every form gives what the single call gives, and a bad row fails alone."""

from __future__ import annotations

import contextlib
import sys
import threading

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from kernel.batching import NO_UNIT, Stream, batched, plan_of, singly

TEXTS = [f"user-{i}" for i in range(40)] + ["é", "日本語", "😀", "a" * 80, "x" * 1024, "nul\0in"]
NUMBERS = [0, 1, -1, 9, 10, 99, 100, -(2**31), 2**31 - 1, 12345678, 123456789, -(10**16), 2**53]
EDGES = [k for power in range(20) for k in (10**power - 1, 10**power) if k < 2**63]

PLAN = plan_of(enrolment=("e/enrolment", 500_000))


def chunked(array: pa.Array) -> pa.ChunkedArray:
    """In uneven chunks, one of them empty, each a slice with an offset."""
    return pa.chunked_array([array[:1], array[1:1], array[1:8], array[8:]])


TEXT_FORMS = {
    "list": list,
    "tuple": tuple,
    "numpy text": np.array,
    "numpy bytes": lambda texts: np.array([text.encode() for text in texts]),
    "numpy objects": lambda texts: np.array(texts, dtype=object),
    "numpy strided": lambda texts: np.repeat(np.array(texts), 2)[::2],
    "numpy swapped": lambda texts: np.array(texts).astype(np.array(texts).dtype.newbyteorder()),
    "utf8": pa.array,
    "large_utf8": lambda texts: pa.array(texts, pa.large_string()),
    "utf8_view": lambda texts: pa.array(texts, pa.string_view()),
    "binary": lambda texts: pa.array([text.encode() for text in texts], pa.binary()),
    "large_binary": lambda texts: pa.array([text.encode() for text in texts], pa.large_binary()),
    "dictionary": lambda texts: pa.array(texts).dictionary_encode(),
    "dictionary of views": lambda texts: pa.DictionaryArray.from_arrays(
        pa.array(range(len(texts)), pa.uint8()), pa.array(texts, pa.large_string())
    ),
    "sliced": lambda texts: pa.array(["before", *texts, "after"])[1:-1],
    "chunked": lambda texts: chunked(pa.array(texts)),
    "chunked views": lambda texts: chunked(pa.array(texts, pa.string_view())),
    "chunked dictionary": lambda texts: chunked(pa.array(texts)).dictionary_encode(),
    "stream of one field": lambda texts: Stream(pa.table({"id": texts})),
    "record batch of one field": lambda texts: pa.record_batch({"id": texts})[0:],
    "polars": pl.Series,
    "polars sliced": lambda texts: pl.Series(["before", *texts])[1:],
    "polars category": lambda texts: pl.Series(texts, dtype=pl.Categorical),
    "pandas": lambda texts: pd.Series(texts, dtype="str"),
    "duckdb": lambda texts: duckdb.sql("SELECT unnest($1) AS id", params=[texts]),
}

NUMBER_FORMS = {
    "list": list,
    "numpy": np.array,
    "numpy swapped": lambda numbers: np.array(numbers, dtype=">i8"),
    "arrow": pa.array,
    "chunked": lambda numbers: chunked(pa.array(numbers)),
    "dictionary": lambda numbers: pa.array(numbers).dictionary_encode(),
    "polars": pl.Series,
    "pandas": pd.Series,
    "numpy of text": lambda numbers: np.array([str(number) for number in numbers]),
}


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_every_form_of_text_units_gives_the_outcomes_of_the_single_call(form: str) -> None:
    texts = [text for text in TEXTS if "\0" not in text] if "duckdb" in form else TEXTS
    assert batched(PLAN, TEXT_FORMS[form](texts)) == singly(PLAN, texts)


@pytest.mark.parametrize("form", NUMBER_FORMS)
def test_every_form_of_whole_numbers_gives_the_outcomes_of_their_decimal_text(form: str) -> None:
    numbers = NUMBERS + EDGES
    assert batched(PLAN, NUMBER_FORMS[form](numbers)) == singly(PLAN, [str(k) for k in numbers])


@pytest.mark.parametrize(
    "kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
def test_the_ends_of_every_width_of_number_are_read(kind: str) -> None:
    ends = [int(np.iinfo(kind).min), int(np.iinfo(kind).max)]
    expected = singly(PLAN, [str(end) for end in ends])
    assert batched(PLAN, np.array(ends, dtype=kind)) == expected
    assert batched(PLAN, pa.array(np.array(ends, dtype=kind))) == expected


@pytest.mark.parametrize("form", ["list", "utf8", "utf8_view", "numpy text"])
def test_keys_of_every_length_have_the_digest_of_the_single_call(form: str) -> None:
    keys = ["".join(chr(33 + (i * size) % 90) for i in range(size)) for size in range(1, 200)]
    assert batched(PLAN, TEXT_FORMS[form](keys)) == singly(PLAN, keys)


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("asked for equality")

    __hash__ = None  # type: ignore[assignment]


class Number(int):
    def __str__(self) -> str:
        raise RuntimeError("asked for text")

    __repr__ = __str__


ODD = [
    None, "", "x" * 1025, "é" * 513, "\ud800", "a\udfff", 1.5, True, b"\xff", [], {}, object(),
    10**1024, 10**5000, np.float64(1), "good", 7, 2**64, -(10**1000), Text("sub"), Text("süb"),
    Number(5), Number(2**70), np.str_("np"), "x" * 1024, "é" * 512, "\0",
]  # fmt: skip


def test_a_bad_row_in_a_list_fails_alone() -> None:
    found = batched(PLAN, ODD)
    assert found == singly(PLAN, ODD)
    assert [reason == NO_UNIT for reason, _ in found] == [True] * 15 + [False] * 12
    assert found[15:] == singly(
        PLAN,
        ["good", "7", str(2**64), str(-(10**1000)), "sub", "süb", "5", str(2**70), "np",
         "x" * 1024, "é" * 512, "\0"],
    )  # fmt: skip


BAD_ROWS = {
    "utf8": lambda: pa.array(["good", None, "", "x" * 1025]),
    "utf8_view": lambda: pa.array(["good", None, "", "x" * 1025], pa.string_view()),
    "dictionary": lambda: pa.array(["good", None, "", "x" * 1025]).dictionary_encode(),
    "null words": lambda: pa.DictionaryArray.from_arrays([0, 1, 2, 1], ["good", None, ""]),
    "binary": lambda: pa.array([b"good", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"], pa.binary()),
    "long binary": lambda: pa.array([b"good", b"\xf4\x90\x80\x80" * 9, b"", None], pa.binary()),
    "numbers": lambda: pa.array([1, None, None, None]),
    "numpy text": lambda: np.array(["good", "", "\ud800", "x" * 200 + "\ud800"]),
    "numpy objects": lambda: np.array(["good", None, 1.5, ""], dtype=object),
    "numpy masked": lambda: np.ma.array([1, 2, 3, 4], mask=[0, 1, 1, 1]),
    "polars": lambda: pl.Series(["good", None, "", None]),
    "null struct": lambda: pa.StructArray.from_arrays(
        [pa.array(["good", "b", "c", "d"])], ["id"], mask=pa.array([False, True, True, True])
    ),
}


@pytest.mark.parametrize("form", BAD_ROWS)
def test_a_bad_row_in_a_column_fails_alone(form: str) -> None:
    reasons = [reason for reason, _ in batched(PLAN, BAD_ROWS[form]())]
    assert [reason == NO_UNIT for reason in reasons] == [False, True, True, True]


def test_a_column_of_nulls_has_no_unit() -> None:
    assert batched(PLAN, pa.nulls(3)) == [(NO_UNIT, -1)] * 3


@pytest.mark.parametrize(
    "empty", [[], (), np.array([], "U1"), pa.array([], pa.string()), pl.Series([], dtype=pl.String),
              pa.chunked_array([], pa.string()), np.array([], "i8")]
)  # fmt: skip
def test_no_units_have_no_outcomes(empty: object) -> None:
    assert batched(PLAN, empty) == []


@pytest.mark.parametrize(
    "refused",
    ["one", b"one", 1, None, 1.5, {1, 2}, object(), np.array("one"), np.array([["a"]]),
     np.array([1.5]), np.array([True]), np.array(["2026-01-01"], "M8[D]"), pa.array([1.5]),
     pa.array([True]), pa.array([["a"]]), pa.array([b"ab"], pa.binary(2)), pa.array([{"a": [1]}]),
     pa.table({"a": [1], "b": [2]}), pa.array([None], pa.date32())],
    ids=lambda refused: type(refused).__name__,
)  # fmt: skip
def test_what_is_no_column_of_units_is_refused(refused: object) -> None:
    with pytest.raises(InvalidInput, match="units"):
        batched(PLAN, refused)


@given(st.lists(st.one_of(st.text(max_size=90), st.integers(), st.none(), st.booleans(),
                          st.floats(), st.characters(categories=["Cs"]))))  # fmt: skip
def test_a_list_of_anything_gives_the_outcomes_of_the_single_call(units: list[object]) -> None:
    assert batched(PLAN, units) == singly(PLAN, units)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))), st.data())
def test_slices_and_chunks_change_nothing(units: list[str | None], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(units)))
    kind = data.draw(st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]))
    array = pa.array(units, kind)
    expected = singly(PLAN, units)
    assert batched(PLAN, array[cut:]) == expected[cut:]
    assert batched(PLAN, pa.chunked_array([array[:cut], array[cut:]])) == expected


def test_a_list_that_another_thread_changes_never_crashes() -> None:
    """The answer is outcomes or a refusal; which of them depends on the moment."""
    units: list[object] = [f"user-{i}" for i in range(60_000)]
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            del units[30_000:]
            units.extend([f"other-{i}" for i in range(30_000)])

    pause = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(60):
            with contextlib.suppress(InvalidInput):  # the list became shorter meanwhile
                assert len(batched(PLAN, units, threads=2)) <= 60_000
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(pause)
