"""What an operation takes is what its function names, and the function documents it."""

from collections.abc import Sequence

import pytest

from allotment.change.commands import Command, Rename, SetVariations
from allotment.dialects.wire.model import Body, Model
from allotment.dialects.wire.operation import (
    Changing,
    Getting,
    Noun,
    ReadState,
    added,
    taken,
)
from allotment.model.flag import Variation


class Query(Body):
    """A query."""


class Answer(Model):
    """An answer."""


def bare(_state: ReadState, _noun: Noun) -> Answer:
    """Says nothing of the request."""
    return Answer()


def asked(_state: ReadState, _noun: Noun, query: Query) -> Answer:
    """Takes a query."""
    return Answer()


def after(_state: ReadState, _noun: Noun, done: Sequence[Command] = ()) -> Answer:
    """Takes what was done."""
    return Answer()


@pytest.mark.parametrize(
    ("view", "names"), [(bare, set()), (asked, {"query"}), (after, {"done"})], ids=["", "q", "d"]
)
def test_a_view_is_given_what_it_names(view: object, names: set[str]) -> None:
    assert callable(view)
    assert taken(view, query=Query(), done=()).keys() == names


def test_an_operation_says_what_its_view_says() -> None:
    one = Getting("GET", "/flags/{flagKey}", asked, None)
    assert (one.name, one.description, one.query, one.answer) == (
        "asked",
        "Takes a query.",
        Query,
        Answer,
    )
    assert Getting("GET", "/flags", bare, None).query is None
    assert one.ids == {"flagKey": "The key of the flag."}


def test_the_variation_that_commands_add_is_the_last_of_the_one_change() -> None:
    def read(_call: object, _catalog: object) -> list[Command]:
        """Adds a variation."""
        return []

    variations = (Variation("a", "1"), Variation("b", "2"))
    change = SetVariations("button", variations, "a")
    assert added([Rename("flag", "button", "B"), change]) == Noun("flag", "button", "b")
    assert Changing("POST", "/", read, None, bare, added).status == 201
    with pytest.raises(ValueError, match="not enough values"):
        added([])
