"""Models of requests: what is refused, where, and in words that repeat nothing of the request."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BeforeValidator, Field

from allotment.dialects.wire.model import (
    DIGITS,
    EXACT,
    LEFT_OUT,
    NOT_BLANK,
    WHOLE,
    Body,
    Maybe,
    Model,
    Refusal,
    Update,
    read,
    read_update,
    refused,
)
from allotment.errors import InvalidInput


def _no_cats(value: str) -> str:
    if value == "cat":
        raise refused("no_cats", "cats are not allowed here")
    return value


class Part(Body):
    """A part of a body."""

    name: Annotated[str, Field(min_length=1, max_length=5), NOT_BLANK]
    share: Maybe[Annotated[Decimal, Field(ge=0, le=100), EXACT]] = LEFT_OUT


class Whole(Update):
    """A body."""

    parts: Maybe[Annotated[list[Part], Field(min_length=1)]] = LEFT_OUT
    by_name: Maybe[dict[str, Part]] = LEFT_OUT
    count: Annotated[int, Field(ge=1, le=10), WHOLE] | None = LEFT_OUT
    take: Maybe[Annotated[int, Field(le=50), DIGITS]] = LEFT_OUT
    pet: Maybe[Annotated[str, BeforeValidator(_no_cats)]] = LEFT_OUT
    words: Maybe[str] = LEFT_OUT

    compared: ClassVar = {"words": lambda value: str(value).lower()}


REFUSED: list[tuple[Any, str, str]] = [
    ([], "an object belongs here", "$"),
    ("xyzzy", "an object belongs here", "$"),
    ({"nope": "xyzzy"}, "this does not belong here; there may be parts, by_name", "$.nope"),
    ({"nope nope": 1}, "this does not belong here; there may be parts, by_name", "$[...]"),
    ({"parts": None}, "null does not belong here; leave the field out", "$.parts"),
    ({"parts": {}}, "a list belongs here", "$.parts"),
    ({"parts": []}, "at least 1 belong here, not 0", "$.parts"),
    ({"parts": [{}]}, "this is required", "$.parts[0].name"),
    ({"parts": [{"name": "a"}, {"name": "xyzzy!"}]}, "at most 5 characters", "$.parts[1].name"),
    ({"parts": [{"name": "  "}]}, "text that is not white space alone", "$.parts[0].name"),
    ({"parts": [{"name": 7}]}, "text belongs here", "$.parts[0].name"),
    ({"parts": [{"name": "a", "share": "5"}]}, "a number belongs here", "$.parts[0].share"),
    ({"parts": [{"name": "a", "share": True}]}, "a number belongs here", "$.parts[0].share"),
    ({"parts": [{"name": "a", "share": 101}]}, "a number of at most 100", "$.parts[0].share"),
    ({"parts": [{"name": "a", "share": 1e-13}]}, "at most 12 decimals", "$.parts[0].share"),
    ({"by_name": {"a b": {"name": 1}}}, "text belongs here", "$.by_name[...].name"),
    ({"count": 1.5}, "a whole number belongs here", "$.count"),
    ({"count": True}, "a whole number belongs here", "$.count"),
    ({"count": 0}, "a number of at least 1 belongs here", "$.count"),
    ({"take": " 5"}, "a whole number belongs here", "$.take"),
    ({"take": 5}, "a whole number belongs here", "$.take"),
    ({"take": "51"}, "a number of at most 50 belongs here", "$.take"),
]


@pytest.mark.parametrize(("tree", "message", "path"), REFUSED)
def test_the_first_fault_is_refused_at_its_place(tree: Any, message: str, path: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read(Whole, tree)
    assert message in raised.value.message
    assert raised.value.path == path
    assert "xyzzy" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_validator_may_refuse_with_the_vendor_s_code() -> None:
    with pytest.raises(Refusal) as raised:
        read(Whole, {"pet": "cat"})
    assert (raised.value.status_hint, raised.value.code) == (400, "no_cats")
    assert raised.value.path == "$.pet"


def test_numbers_are_read_exactly_and_a_whole_float_is_a_whole_number() -> None:
    body = read(Whole, {"parts": [{"name": "a", "share": 33.3}], "count": 2.0, "take": "7"})
    assert body.parts is not None
    assert body.parts[0].share == Decimal("33.3")
    assert (body.count, type(body.count), body.take) == (2, int, 7)


def test_what_an_update_sends_as_it_is_shown_is_no_change() -> None:
    shown = {"words": "Long words", "pet": "cat", "parts": [{"more": "than can be said"}]}
    assert read_update(Whole, shown, shown).model_fields_set == set()
    assert read_update(Whole, {**shown, "words": "LONG WORDS"}, shown).model_fields_set == set()
    changed = read_update(Whole, {**shown, "words": "others", "count": None}, shown)
    assert changed.model_fields_set == {"words", "count"}
    with pytest.raises(InvalidInput, match=r"give at least one of parts, by_name"):
        read_update(Whole, {}, shown)
    with pytest.raises(InvalidInput, match=r"does not belong here"):
        read_update(Whole, {"id": 1}, {"id": 1})


class Shown(Model):
    """An answer."""

    always: int | None
    sometimes: Maybe[str] = LEFT_OUT


def test_an_answer_leaves_out_what_is_not_set_and_shows_null_where_it_says_so() -> None:
    assert Shown(always=None).plain() == {"always": None}
    assert Shown(always=None, sometimes=None).json_bytes() == b'{"always":null}'
    assert Shown(always=1, sometimes="é").json_bytes().decode() == '{"always":1,"sometimes":"é"}'


def test_a_schema_shows_no_null_and_no_default_where_a_field_is_left_out() -> None:
    fields = Whole.model_json_schema()["properties"]
    assert fields["words"] == {"title": "Words", "type": "string"}
    assert {"type": "null"} in fields["count"]["anyOf"]
    assert "default" not in fields["count"]
