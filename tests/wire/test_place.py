"""Values of a request, and where they stand."""

import pytest

from allotment.dialects.wire.place import Place
from allotment.errors import InvalidInput


def test_a_field_that_does_not_belong_is_named() -> None:
    body = Place({"name": "a", "one": {"id": 1, "<b>": 2}})
    with pytest.raises(InvalidInput, match="there may be size") as refused:
        body.at("one").fields(("size",))
    assert refused.value.path == "$.one.id"


def test_a_name_that_is_no_plain_word_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as refused:
        Place({"<b>hello</b>": 2}).fields(("size",))
    assert "hello" not in f"{refused.value} {refused.value.path}"
