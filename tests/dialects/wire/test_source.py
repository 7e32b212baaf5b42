"""Strict JSON: what every reader reads alike, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.wire.source import DEPTH_MAX, read_json
from allotment.errors import InvalidInput

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_json_can_say_is_read_as_it_is(value: object, escaped: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", "$"),
        (b" \n ", "$"),
        (b"{", "$"),
        (b"{'a': 1}", "$"),
        (b'{"a": 1,}', "$"),
        (b"[1] [2]", "$"),
        (b"\xef\xbb\xbf{}", "$"),
        ("{}".encode("utf-16"), "$"),
        (b'"\xff"', "$"),
        (b'"\xed\xa0\x80"', "$"),
        (b'{"a": "\\ud800"}', "$.a"),
        (b'{"\\ud800": 1}', "$"),
        (b'{"a": [1, NaN]}', "$.a[1]"),
        (b'{"a": -Infinity}', "$.a"),
        (b'{"a": {"b": 1e999}}', "$.a.b"),
        (b'{"a": 9223372036854775808}', "$.a"),
        (b'{"a": -9223372036854775809}', "$.a"),
        (b"1" * 5000, "$"),
        (b'{"weight": 1, "b": {"weight": 2, "weight": 3}}', "$.b.weight"),
        (b"[" * 100_000, "$"),
    ],
)
def test_anything_else_is_refused_with_its_place(body: bytes, path: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_json(body)
    assert refusal.value.path == path


def test_a_body_is_nested_as_deep_as_allowed_and_no_deeper() -> None:
    deepest = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    assert read_json(deepest) is not None
    with pytest.raises(InvalidInput, match="deeper than 32"):
        read_json(b"[" + deepest + b"]")


@pytest.mark.parametrize("key", ["<script>alert(1)</script>", "a" * 41, "x y", "${jndi}", "ключ"])
def test_a_refusal_repeats_nothing_of_the_body_but_plain_names(key: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_json(json.dumps({key: float("nan")}).encode())
    assert refusal.value.path == "$[...]"
    assert key not in str(refusal.value)
