"""A large JSON array is cut at its commas, whatever stands between them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.server.assign.batch.elements import GROUP, Elements
from timing import cpu_seconds

tricky = st.text(st.sampled_from('"\\[]{},: \n\téx'), max_size=6)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    plain | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky, inner, max_size=3),
    max_leaves=6,
)


def cut(text: bytes) -> list[Any]:
    """The elements, read group by group."""
    elements = Elements(text, text.index(b"[") + 1)
    assert text[elements.end :].strip() == b""
    groups = [json.loads(elements.text(place, place + 1)) for place in range(len(elements))]
    assert all(len(group) == GROUP for group in groups[:-1])
    assert json.loads(elements.text(0, len(elements))) == [
        each for group in groups for each in group
    ]
    return [each for group in groups for each in group]


@given(st.lists(nested, max_size=5), st.integers(0, 70), st.sampled_from((None, 0, 3)))
def test_an_array_is_what_its_groups_are(few: list[Any], times: int, indent: int | None) -> None:
    values = few * times
    for ascii_only in (True, False):
        assert cut(json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()) == values


@pytest.mark.parametrize("count", [0, 1, GROUP - 1, GROUP, GROUP + 1, 5 * GROUP])
def test_groups_are_of_64(count: int) -> None:
    assert cut(json.dumps(list(range(count))).encode()) == list(range(count))


def test_large_elements_are_cut_as_small_ones_are() -> None:
    values = ["x" * size for size in (1, 60_000, 100_000, 131_000)] * 40
    assert cut(json.dumps(values).encode()) == values


@pytest.mark.parametrize(
    "text",
    [
        b"[",
        b'["a"',
        b'["a" "b"]',
        b"[,]",
        b'["a",]',
        b'["a",,"b"]',
        b'["a"}',
        b'["\\"]',
        b'["' + b"x" * 200_000 + b'"]',
        b"[" * 40 + b"]" * 40,
        b"[" * 1_000_000,
        b'["' + b'\\"' * 500_000,
        b'["a"' + b" " * 500_000,
        b"[[" + b'"a" ' * 200_000,
        b"[" + (b"[" + b"[]" * 1_000) * 31,
        b'[{"a"' * 100_000,
        b'["a",' * 100_000,
    ],
    ids=range(17),
)
def test_what_is_no_array_is_refused_at_once(text: bytes) -> None:
    def refused() -> None:
        with pytest.raises(InvalidInput, match="from byte"):
            Elements(text, 1)

    assert cpu_seconds(refused) < 1
