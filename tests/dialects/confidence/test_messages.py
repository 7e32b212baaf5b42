"""Messages of protocol buffers: masks, what an update changes, and what is refused."""

from typing import Any

import pytest

from allotment.dialects.confidence.instance_views import ConfidenceInstanceEdit
from allotment.dialects.confidence.protobuf import ConfidenceMask, Edit, fields_of, shape_of
from allotment.dialects.confidence.segments import ConfidenceSegmentEdit
from allotment.dialects.wire.mask import Part
from allotment.dialects.wire.model import read
from allotment.errors import InvalidInput

SHOWN: dict[str, Any] = {
    "name": "segments/one",
    "displayName": "One",
    "targeting": {"criteria": {}, "expression": {"or": {"operands": []}}},
    "allocation": {"proportion": {"value": "0.5"}, "exclusivityTags": ["a"], "exclusiveTo": []},
    "labels": {"a": "b", "c": "d"},
}


def changed(body: Any, mask: str | None = None, model: type[Edit] = ConfidenceSegmentEdit) -> Any:
    """What is set of the body of an update of what is shown."""
    query = read(ConfidenceMask, {} if mask is None else {"updateMask": mask}, "query")
    found = model.changes(body, SHOWN, query)
    return {name: getattr(found, name) for name in found.model_fields_set}


def test_a_mask_names_fields_of_messages_and_keys_of_what_is_open() -> None:
    shape = shape_of(ConfidenceSegmentEdit)
    assert shape["targeting"] == {"criteria": Part.OPEN, "expression": Part.LEAF}
    allocation: Any = shape["allocation"]
    assert set(allocation.values()) == {Part.LEAF}, "a decimal is replaced whole, as a list is"
    assert (shape["displayName"], shape["labels"]) == (Part.LEAF, Part.OPEN)
    instance: Any = shape_of(ConfidenceInstanceEdit)
    assert instance["jobQueue"] == instance["labels"] == Part.OPEN
    assert instance["stats"]["alpha"] == instance["abtest"]["treatments"] == Part.LEAF


def test_only_what_comes_to_be_another_value_is_set() -> None:
    assert changed(SHOWN) == changed(SHOWN, "*") == changed({}, "owner") == {}
    assert changed({"displayName": "Two", "owner": None}) == {"displayName": "Two"}
    assert changed({}, "labels.a") == {"labels": {"c": "d"}}
    assert changed({}, "labels,displayName") == {"labels": None, "displayName": None}


def test_a_part_is_read_once_it_is_laid_over_what_is_shown() -> None:
    """An expression alone may name criteria that are shown and that it does not bring."""
    allocation = changed({"allocation": {"exclusiveTo": ["b"]}})["allocation"]
    assert allocation.plain() == {**SHOWN["allocation"], "exclusiveTo": ["b"]}
    with pytest.raises(InvalidInput, match="no criterion") as refused:
        changed({"targeting": {"expression": {"ref": "x"}}})
    assert refused.value.path == "$.targeting.expression.ref"


@pytest.mark.parametrize("mask", [None, "displayName", "*", "allocation.proportion"])
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "$"),
        ({"nothing": 1}, "$.nothing"),
        ({"allocation": 5}, "$.allocation"),
        ({"allocation": {"nothing": 1}}, "$.allocation.nothing"),
        ({"targeting": []}, "$.targeting"),
    ],
)
def test_what_is_no_such_message_is_refused_whatever_the_mask_names(
    body: Any, path: str, mask: str | None
) -> None:
    with pytest.raises(InvalidInput) as refused:
        changed(body, mask)
    assert refused.value.path == path


def test_what_is_told_is_passed_over_and_in_no_mask() -> None:
    for name in ConfidenceSegmentEdit.output_only:
        assert name not in fields_of(ConfidenceSegmentEdit)
        assert changed({name: "other"}) == {}
        with pytest.raises(InvalidInput, match="no field to set"):
            changed({name: "other"}, name)
