"""How much a JSON text holds and how deep it nests is known before it is decoded."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.kernel.json_shape import JsonShape

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=30,
)


def values(tree: Any) -> int:
    """Values and names, counted in the tree."""
    if isinstance(tree, dict):
        return 1 + sum(1 + values(each) for each in tree.values())
    return 1 + sum(map(values, tree)) if isinstance(tree, list) else 1


def depth(tree: Any) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(TREES, st.booleans(), st.sampled_from([None, 1]), st.lists(st.integers(0, 300), max_size=4))
def test_a_text_is_counted_as_its_tree_wherever_it_is_cut(
    tree: Any, escaped: bool, indent: int | None, cuts: list[int]
) -> None:
    text = json.dumps(tree, ensure_ascii=escaped, indent=indent).encode()
    shape = JsonShape()
    places = [0, *sorted(cuts), len(text)]
    for first, stop in pairwise(places):
        shape.feed(text[first:stop])
    assert (shape.values, shape.deepest) == (values(tree), depth(tree))


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_counted(body: bytes) -> None:
    whole, parts = JsonShape(), JsonShape()
    whole.feed(bytearray(body))
    for place in range(len(body)):
        parts.feed(body[place : place + 1])
    assert (whole.values, whole.deepest) == (parts.values, parts.deepest)
    assert whole.deepest <= whole.values <= len(body)


@pytest.mark.parametrize("part", [None, 1, "text", [1]])
def test_what_is_no_bytes_is_a_type_error(part: object) -> None:
    with pytest.raises(TypeError):
        JsonShape().feed(part)  # type: ignore[arg-type]
