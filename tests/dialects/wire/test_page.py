"""Pages: whoever follows the tokens sees everything once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.wire.page import page
from allotment.errors import InvalidInput
from allotment.model.keyed import Keyed

KEYS = st.sets(st.text("abcdef0123456789", min_size=1, max_size=3), max_size=40)


def keyed(keys: set[str]) -> Keyed[str]:
    return Keyed((key, key) for key in keys)


def turn(nouns: Keyed[str], take: int, token: str | None) -> tuple[list[str], str | None]:
    found = page("nouns", nouns, lambda _one: True, take, token, path="query.from")
    return list(found.items), found.token


@given(KEYS, st.integers(1, 50))
def test_pages_together_are_the_list(keys: set[str], take: int) -> None:
    seen, token, pages = [], None, 0
    while pages == 0 or token is not None:
        items, token = turn(keyed(keys), take, token)
        assert len(items) == take or token is None
        seen += items
        pages += 1
    assert seen == sorted(keys)


@given(KEYS, KEYS, st.integers(1, 5), st.data())
def test_what_is_there_all_along_is_seen_once_whatever_comes_and_goes(
    staying: set[str], others: set[str], take: int, data: st.DataObject
) -> None:
    seen, token, first = [], None, True
    while first or token is not None:
        first = False
        now = staying | data.draw(st.sets(st.sampled_from(sorted(others)))) if others else staying
        items, token = turn(keyed(now), take, token)
        seen += items
    assert len(set(seen)) == len(seen)
    assert staying <= set(seen)


def test_only_what_is_wanted_is_on_a_page() -> None:
    nouns = keyed({"a", "b", "c", "d"})
    found = page("nouns", nouns, lambda one: one in "bd", 1, None, path="query.from")
    assert found.items == ("b",)
    found = page("nouns", nouns, lambda one: one in "bd", 1, found.token, path="query.from")
    assert (found.items, found.token) == (("d",), None)


def test_a_token_from_elsewhere_is_refused() -> None:
    nouns = keyed({"a", "b"})
    token = page("others", nouns, lambda _one: True, 1, None, path="query.from").token
    assert token is not None
    own = turn(nouns, 1, None)[1]
    assert own is not None
    for bad in (token, "", "a", "?", "é", own[:-1], own + "A", own + "=", "A" * 2000):
        with pytest.raises(InvalidInput) as refusal:
            turn(nouns, 1, bad)
        assert refusal.value.path == "query.from"
