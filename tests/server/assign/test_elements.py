"""A large JSON array is cut at its commas, whatever stands between them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from allotment.errors import InvalidInput
from allotment.server.assign.batch import json_reader
from allotment.server.assign.batch.json_reader import GROUP, Elements
from timing import cpu_seconds

tricky = st.text(st.sampled_from('"\\[]{},: \n\téx'), max_size=6)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    plain | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky, inner, max_size=3),
    max_leaves=6,
)
decoder = msgspec.json.Decoder(list[Any])


def cut(text: bytes) -> list[Any]:
    """The elements, read group by group."""
    elements = Elements(Raw(text), "$.units")
    groups = [elements.read(decoder, place, place + 1) for place in range(len(elements))]
    assert all(len(group) == GROUP for group in groups[:-1])
    assert sum(elements.size(place, place + 1) for place in range(len(elements))) == len(text) - 1
    assert elements.read(decoder, 0, len(elements)) == [each for group in groups for each in group]
    return [each for group in groups for each in group]


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 18])
@given(st.lists(nested, max_size=5), st.integers(0, 70), st.sampled_from((None, 0, 3)))
def test_an_array_is_what_its_groups_are(
    piece: int, few: list[Any], times: int, indent: int | None
) -> None:
    """Also where a piece that is looked through ends at any of its bytes."""
    values = few * (times if piece > 7 else times % 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "_PIECE_BYTES", piece)
        for ascii_only in (True, False):
            text = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
            assert cut(text) == json.loads(text)


@pytest.mark.parametrize("count", [0, 1, GROUP - 1, GROUP, GROUP + 1, 5 * GROUP])
def test_groups_are_of_64(count: int) -> None:
    assert cut(json.dumps(list(range(count))).encode()) == list(range(count))


def test_large_elements_are_cut_as_small_ones_are() -> None:
    values = ["x" * size for size in (1, 60_000, 100_000, 131_000, 1_000_000)] * 10
    assert cut(json.dumps(values).encode()) == values


@pytest.mark.parametrize("text", [b"{}", b'"a"', b"null", b"7"])
def test_what_is_no_array_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput, match="array") as refused:
        Elements(Raw(text), "$.units")
    assert refused.value.path == "$.units"


def test_a_value_that_cannot_be_read_is_named_by_its_place() -> None:
    values = [b"1"] * 200
    values[150] = b"1e999"
    elements = Elements(Raw(b"[%b]" % b",".join(values)), "$.units")
    with pytest.raises(InvalidInput) as refused:
        elements.read(decoder, 2, 3)
    assert refused.value.path == "$.units[150]"


@pytest.mark.parametrize(
    "text",
    [
        b'["' + b'\\"' * 500_000 + b'"]',
        b'["' + b"\\\\" * 500_000 + b'"]',
        b"[" + b"[]," * 300_000 + b"[]]",
        b"[[" * 500 + b'"]",' * 200_000 + b'""' + b"]]" * 500,
        b'["a"' + b" " * 1_000_000 + b"]",
    ],
    ids=range(5),
)
def test_what_is_made_to_take_long_is_cut_at_once(text: bytes) -> None:
    assert cpu_seconds(lambda: Elements(Raw(text), "$.units")) < 1
