from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.idset import IdSet

keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=12)


@given(st.dictionaries(keys, st.integers(0, 255), max_size=60), st.lists(keys, max_size=20))
def test_it_has_its_keys_with_their_values_and_no_others(
    listed: dict[str, int], others: list[str]
) -> None:
    made = IdSet(list(listed), list(listed.values()))
    assert len(made) == len(listed)
    for key in [*listed, *others]:
        assert (key in made) == (key in listed)
        assert made.value(key) == listed.get(key, -1)


@given(st.lists(keys.filter(bool), unique=True, max_size=60))
def test_lines_make_the_same_set_as_keys(listed: list[str]) -> None:
    made = IdSet.of_lines("\n".join(listed).encode())
    assert len(made) == len(listed)
    assert all(key in made for key in listed)
    assert "not listed" not in made


def test_a_set_without_values_has_value_0_for_its_members() -> None:
    made = IdSet(["a"])
    assert (made.value("a"), made.value("b")) == (0, -1)


def test_no_lines_make_the_empty_set() -> None:
    made = IdSet.of_lines(b"")
    assert len(made) == 0
    assert "" not in made


def test_a_large_set_costs_under_ten_bytes_an_id() -> None:
    made = IdSet.of_lines("\n".join(map(str, range(200_000))).encode())
    assert len(made) == 200_000
    assert made.nbytes < 10 * len(made)
    assert all(str(i) in made for i in range(0, 200_000, 17))
    assert not any(str(i) in made for i in range(200_000, 210_000))


@pytest.mark.parametrize(
    ("listed", "values"),
    [
        (["a", "a"], [1, 2]),
        (["a"], [256]),
        (["a"], [-1]),
        (["a"], [1, 2]),
        (["a"], ["1"]),
        ([1], None),
        (["\ud800"], None),
        (map(str, range(1_000_001)), None),
    ],
    ids=["two values", "too great", "negative", "length", "text", "number", "surrogate", "many"],
)
def test_what_is_no_set_of_ids_is_refused(listed: Any, values: Any) -> None:
    with pytest.raises(InvalidInput):
        IdSet(listed, values)


def test_a_million_and_one_lines_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1,000,000"):
        IdSet.of_lines(b"\n" * 1_000_000)
