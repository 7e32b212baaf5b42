"""The quick reader of nouns takes nothing that the plain one refuses, and makes the same of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

import strategies
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.noun_reader import noun_of_json, read_json, read_noun
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.plain import from_plain, to_plain
from nouns import FLAG, experiment

WHOLE = to_plain(experiment())


def read_each_way(kind: str, plain: Any) -> tuple[object, object, object]:
    """What the readers make of it: a noun, or the refusal's words and place."""

    def outcome(read: Any, wanted: Any, given: Any) -> object:
        try:
            return read(wanted, given)
        except InvalidInput as error:
            return error.message, error.path

    return (
        outcome(noun_of_json, kind, json.dumps(plain)),
        outcome(read_noun, kind, plain),
        outcome(from_plain, KINDS[kind], plain),
    )


def in_every_place(plain: Any, put: Any) -> list[Any]:
    """Copies of it, in each of which another part is replaced by what `put` makes of that."""
    copies = [put(plain)]
    if isinstance(plain, dict | list):
        for at, item in plain.items() if isinstance(plain, dict) else enumerate(plain):
            for copy in in_every_place(item, put):
                whole = plain.copy()
                whole[at] = copy
                copies.append(whole)
    return copies


@given(catalog=strategies.catalogs())
def test_any_noun_is_read_as_the_plain_reader_reads_it(catalog: Catalog) -> None:
    for kind in KINDS:
        for noun in nouns_of(catalog, kind).values():
            plain = json.loads(json.dumps(to_plain(noun)))
            for read in (read_noun(kind, plain), noun_of_json(kind, json.dumps(plain))):
                assert (read, repr(read)) == (noun, repr(noun))  # a row's class, too


@pytest.mark.parametrize(
    "put",
    [
        lambda _: None,
        lambda _: True,
        lambda _: 1,
        lambda _: 1.0,
        lambda _: "1",
        lambda _: [],
        lambda _: {},
        lambda it: [it],
        lambda it: {**it, "more": 1} if isinstance(it, dict) else "\ud800",
        lambda it: {**it, "is": "Layer"} if isinstance(it, dict) else "Flag",
        lambda it: {**it, "enrolment": "12.5%"} if isinstance(it, dict) else 1 << 70,
    ],
)
@pytest.mark.parametrize(("kind", "plain"), [("experiment", WHOLE), ("flag", to_plain(FLAG))])
def test_what_is_wrong_in_any_place_is_refused_in_the_same_words(
    kind: str, plain: Any, put: Any
) -> None:
    for wrong in in_every_place(plain, put):
        quickest, quick, slow = read_each_way(kind, wrong)
        assert (quick, repr(quick)) == (slow, repr(slow)), wrong
        assert (quickest, repr(quickest)) == (slow, repr(slow)), wrong


@pytest.mark.parametrize("text", ["", "{", '{"is": "Flag"', '{"is": "Flag"} x', "nul"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_json_is_no_noun(kind: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of either library of JSON
        noun_of_json(kind, text)


@pytest.mark.parametrize("text", ["NaN", "1e400", '"\\ud800"', "123456789012345678901", "{}"])
def test_json_is_what_it_is_to_python(text: str) -> None:
    assert repr(read_json(text)) == repr(json.loads(text))
