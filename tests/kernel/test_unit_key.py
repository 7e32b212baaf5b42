"""The key of a unit as text: what the kernel digests, the rows of the store and exposures name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.unit import unit_key
from allotment.kernel.units import unit_keys
from allotment.reference.unit import unit_key as twin_key
from arrowtypes import BYTES, UNIT_TYPES, plain_of
from kernel.batching import NO_UNIT, batched, plan_of, singly
from kernel.test_units import BAD_ROWS, NUMBER_FORMS, NUMBERS, ODD, TEXT_FORMS, TEXTS

PLAN = plan_of()
KIND = PLAN.unit


def values_of(kind: pa.DataType) -> st.SearchStrategy[object]:
    """Any value of an Arrow type; bytes mostly hold text."""
    plain = plain_of(kind)
    if plain in BYTES:
        return st.text(max_size=20).map(str.encode) | st.binary(max_size=20)
    if pa.types.is_integer(plain):
        signed = pa.types.is_signed_integer(plain)
        bits = plain.bit_width
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        return st.integers(low, high) | st.sampled_from([low, high])
    return st.text(max_size=20) | st.just("x" * 1025)


def key_of(value: object) -> str | None:
    """What a value of Arrow is called as a unit."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
    return twin_key(value, KIND)


@pytest.mark.parametrize("kind", UNIT_TYPES, ids=str)
@given(data=st.data())
def test_keys_of_every_arrow_type_are_those_of_its_values(
    kind: pa.DataType, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.none() | values_of(kind), max_size=12))
    column = pa.array(values, kind)
    cut = data.draw(st.integers(0, len(values)))
    expected = [key_of(value) for value in values]
    chunks = pa.chunked_array([column[:cut], column[cut:]])
    forms = {"whole": column, "chunks": chunks, "struct": pa.table({"id": chunks})}
    for name, form in forms.items():
        assert unit_keys(form, KIND) == expected, name
        # An experiment sees the very unit that the key names.
        assert batched(PLAN, form) == singly(PLAN, expected), name


@pytest.mark.parametrize(
    "values",
    [pa.array([1.5]), pa.array([True]), pa.array([["a"]]), pa.array([{"a": 1, "b": 2}])],
    ids=lambda values: str(values.type),
)
def test_a_column_that_cannot_be_units_has_no_keys(values: pa.Array) -> None:
    with pytest.raises(InvalidInput, match="neither"):
        unit_keys(values, KIND)


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_every_form_of_text_units_has_their_keys(form: str) -> None:
    texts = [text for text in TEXTS if "\0" not in text] if "duckdb" in form else TEXTS
    assert unit_keys(TEXT_FORMS[form](texts), KIND) == texts


@pytest.mark.parametrize("form", NUMBER_FORMS)
def test_every_form_of_whole_numbers_has_their_decimal_text_as_keys(form: str) -> None:
    assert unit_keys(NUMBER_FORMS[form](NUMBERS), KIND) == [str(number) for number in NUMBERS]


@pytest.mark.parametrize("form", BAD_ROWS)
def test_a_bad_row_in_a_column_has_no_key(form: str) -> None:
    keys = unit_keys(BAD_ROWS[form](), KIND)
    assert [key is None for key in keys] == [False, True, True, True]


def test_a_key_is_what_the_twin_says_of_anything() -> None:
    assert unit_keys(ODD, KIND) == [unit_key(unit, KIND) for unit in ODD]
    for unit in ODD:
        assert unit_key(unit, KIND) == twin_key(unit, KIND), type(unit)
        by_kind = {KIND: unit, "other": "else"}
        assert unit_key(by_kind, KIND) == (None if isinstance(unit, dict) else twin_key(unit, KIND))
    assert unit_key({"other": "else"}, KIND) is None


@given(st.text(st.characters(codec=None), max_size=20) | st.integers() | st.floats() | st.binary())
def test_a_key_is_what_is_digested(unit: object) -> None:
    key = unit_key(unit, KIND)
    assert key == twin_key(unit, KIND)
    assert singly(PLAN, [unit]) == ([(NO_UNIT, -1)] if key is None else singly(PLAN, [key]))


def test_units_of_several_kinds_have_a_key_each() -> None:
    columns = {"user": ["a", None], "device": np.array([7, 8])}
    assert unit_keys(columns, "user") == ["a", None]
    assert unit_keys(columns, "device") == ["7", "8"]
    assert unit_keys(columns, "account") == [None, None]
    rows = [{"user": "a", "device": 7}, "b", {"device": 8}]
    assert unit_keys(rows, "user") == ["a", "b", None]
