"""Field masks: what a path names, and what becomes of a document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.wire.mask import WHOLE, Part, Path, implied, masked, read_mask
from allotment.errors import InvalidInput

NAMES = ("name", "flags", "isPaused", "outcome", "bucket2")
SHAPE = {
    "name": Part.LEAF,
    "flags": {"isPaused": Part.LEAF, "segment": Part.LEAF, "bucket2": {"depth": Part.LEAF}},
    "outcome": Part.OPEN,
}

scalars = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"])
trees: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(NAMES), below),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(NAMES), trees)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)
masks = st.lists(paths, max_size=3)


def at(document: Any, path: Path) -> Any:
    """What stands at a path; a null is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def apart(one: Path, other: Path) -> bool:
    """Whether neither path leads through the other."""
    return any(a != b for a, b in zip(one, other, strict=False))


@given(documents, documents, masks)
def test_a_mask_applied_twice_is_applied_once(old: Any, new: Any, mask: list[Path]) -> None:
    once = masked(old, new, mask)
    assert masked(once, new, mask) == once


@given(documents, documents, masks)
def test_what_a_mask_names_is_as_the_request_has_it(old: Any, new: Any, mask: list[Path]) -> None:
    found = masked(old, new, mask)
    for path in mask:
        assert at(found, path) == at(new, path)


@given(documents, documents, masks, paths)
def test_what_a_mask_does_not_name_stays(old: Any, new: Any, mask: list[Path], path: Path) -> None:
    if all(apart(path, each) for each in mask):
        assert at(masked(old, new, mask), path) == at(old, path)


@given(documents, documents)
def test_a_mask_of_the_whole_document_is_a_replacement(old: Any, new: Any) -> None:
    assert masked(old, new, [WHOLE]) == new
    named = masked(old, new, [(name,) for name in NAMES])
    assert named == {name: value for name, value in new.items() if value is not None}


@given(documents, documents)
def test_a_mask_of_nothing_changes_nothing(old: Any, new: Any) -> None:
    assert masked(old, new, []) == old


@given(documents, documents)
def test_without_a_mask_all_that_is_given_is_set(old: Any, new: Any) -> None:
    shape = dict.fromkeys(NAMES, Part.OPEN)
    found = masked(old, new, implied(new, shape))
    for path in implied(new, shape):
        assert at(found, path) == at(new, path)


@given(documents)
def test_a_document_laid_over_itself_stays(document: Any) -> None:
    shape = dict.fromkeys(NAMES, Part.OPEN)
    cleaned = masked({}, document, implied(document, shape))
    assert masked(cleaned, cleaned, implied(cleaned, shape)) == cleaned


def test_without_a_mask_false_and_null_are_given_and_an_empty_object_is_not() -> None:
    body = {"name": None, "flags": {"isPaused": False, "bucket2": {}}, "outcome": {"a": {"b": 1}}}
    assert implied(body, SHAPE) == (("name",), ("flags", "isPaused"), ("outcome", "a", "b"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name", [("name",)]),
        ("name,flags.segment", [("name",), ("flags", "segment")]),
        (" name , name ", [("name",)]),
        ("flags.is_paused", [("flags", "isPaused")]),
        ("flags.isPaused,flags.is_paused", [("flags", "isPaused")]),
        ("flags.bucket2.depth", [("flags", "bucket2", "depth")]),
        ("flags.bucket_2", [("flags", "bucket2")]),
        ("outcome.some_key.Other", [("outcome", "some_key", "Other")]),
        ("*", [WHOLE]),
        ("", None),
        (" ", None),
    ],
)
def test_a_mask_is_paths_in_either_case(text: str, expected: Any) -> None:
    found = read_mask(text, SHAPE)
    assert found == (None if expected is None else tuple(expected))


def test_no_mask_is_none() -> None:
    assert read_mask(None, SHAPE) is None


@pytest.mark.parametrize(
    "text",
    [
        *("nam", "Name", "flags.", ".flags", "flags..segment", "flags.nothing", "name.first"),
        *("name,", ",name", "name,,name", "*,name", "name.*", "flags.*", "outcome..a", "outcome."),
        *("outcome" + ".a" * 40, "is_paused", "x" * 20_000, "flags.segment[0]"),
    ],
)
def test_a_path_to_no_field_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_mask(text, SHAPE)
    assert caught.value.path == "query.updateMask"
    assert text not in caught.value.message
