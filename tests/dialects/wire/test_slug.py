"""Keys made from names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.wire.spelling import slug
from allotment.model.text import check_key


def free(_key: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Shorter login", "shorter-login"),
        ("  Été — 50 % ", "ete-50"),
        ("v1.2_final", "v1.2_final"),
        ("--", "flag"),
        ("登录", "flag"),
        ("../../etc/passwd", "etc-passwd"),
        ("x" * 300, "x" * 64),
        ("Straße ﬁn", "strae-fin"),
    ],
)
def test_a_name_becomes_a_key(name: str, key: str) -> None:
    assert slug(name, free, "flag") == key


@given(st.text(max_size=300))
def test_any_name_becomes_a_key_that_the_model_takes(name: str) -> None:
    check_key(slug(name, free, "flag"), "$")


@given(st.lists(st.sampled_from(["A b", "a-b", "A B", "ab", "登", "录"]), max_size=12))
def test_keys_that_are_taken_are_not_given_again(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(slug(name, taken.__contains__, "flag"))
    assert len(set(taken)) == len(taken)


def test_the_second_gets_a_number() -> None:
    assert slug("a b", {"a-b"}.__contains__, "flag") == "a-b-2"
    assert slug("a b", {"a-b", "a-b-2"}.__contains__, "flag") == "a-b-3"
