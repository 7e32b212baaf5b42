"""The bytes of a Confidence state: what is read of them, and what is not known in them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from allotment.errors import InvalidInput
from allotment.importers import confidence, confidence_state
from allotment.importers.confidence_state import CLASSES, PACKAGE
from confidencestate import encode

RULE = {
    "name": "flags/f/rules/r",
    "segment": "segments/s",
    "enabled": True,
    "assignmentSpec": {
        "bucketCount": 2,
        "assignments": [
            {"variant": {"variant": "flags/f/variants/v"}, "bucketRanges": [{"upper": 1}]}
        ],
    },
}
FLAG = {
    "name": "flags/f",
    "state": 1,
    "clients": ["clients/c"],
    "variants": [{"name": "flags/f/variants/v", "value": {"a": [None, True, "x", {"b": 2.5}]}}],
    "rules": [RULE],
}
STATE: dict[str, Any] = {
    "flags": [FLAG],
    "segmentsNoBitsets": [{"name": "segments/s"}],
    "clients": [{"name": "clients/c"}],
}


def with_field(name: str, values: dict[str, Any], number: int) -> bytes:
    """The bytes of a message, and after them a field of this number, with one byte."""
    made = json_format.ParseDict(values, CLASSES[f"{PACKAGE}.{name}"]())
    key = number << 3
    return made.SerializeToString() + bytes([key & 0x7F | 0x80, key >> 7, 1])


def state_with(flag: bytes) -> bytes:
    """A state with one flag, of which the bytes are given."""
    state = json_format.ParseDict(
        {**STATE, "flags": []}, CLASSES[f"{PACKAGE}.ResolverState"]()
    ).SerializeToString()
    state += b"\x0a" + bytes([len(flag) & 0x7F | 0x80, len(flag) >> 7]) + flag
    client = CLASSES[f"{PACKAGE}.ClientResolverState"]()
    client.MergeFrom(type(client)(state=state, account="acme"))
    return client.SerializeToString()


def test_what_is_written_is_read() -> None:
    assert confidence_state.decode(encode("acme", **STATE)) == {"account": "acme", "state": STATE}


@pytest.mark.parametrize(("number", "left_out"), [(77, True), (6, False)])
def test_a_field_that_is_not_known_leaves_the_flag_out(number: int, left_out: bool) -> None:
    made = state_with(with_field("Flag", FLAG, number))
    imported = confidence.read(confidence_state.decode(made))
    assert [flag.key for flag in imported.flags] == ([] if left_out else ["f"])
    assert any("unknown field `field 77`" in note.message for note in imported.notes) is left_out


@pytest.mark.parametrize("data", [b"\xff", b"{}", b"\x0a\x02\x0a\x05"])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        confidence.read(confidence_state.decode(data))


@pytest.mark.parametrize("account", ["", "accounts/acme"])
def test_without_the_id_of_an_account_nothing_is_read(account: str) -> None:
    with pytest.raises(InvalidInput, match="the id of an account"):
        confidence.read(confidence_state.decode(encode(account, **STATE)))


def test_a_field_of_the_whole_state_that_is_not_known_is_refused() -> None:
    payload = {"account": "acme", "state": {**STATE, "field 99": True}}
    with pytest.raises(InvalidInput, match="field 99 of a state is not known") as refused:
        confidence.read(payload)
    assert refused.value.path == "$.state.field 99"


def test_a_flag_of_some_clients_only_has_a_note() -> None:
    clients = [{"name": "clients/c"}, {"name": "clients/d"}]
    imported = confidence.read({"account": "acme", "state": {**STATE, "clients": clients}})
    assert len(imported.flags) == 1
    assert any("the clients clients/d do not get it" in note.message for note in imported.notes)


def test_what_the_service_adds_to_a_context_leaves_the_flags_out() -> None:
    clients = [{"name": "clients/c", "managedContext": [{}]}]
    imported = confidence.read({"account": "acme", "state": {**STATE, "clients": clients}})
    assert imported.flags == []
    assert "the service adds to what a client sends" in imported.notes[0].message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"enabled": False}, "not enabled"),
        ({"segment": "segments/gone"}, "no segment or deals nothing"),
        ({"assignmentSpec": None}, "no segment or deals nothing"),
        ({"assignmentSpec": {"bucketCount": 1, "assignments": []}}, "takes no unit"),
    ],
)
def test_a_rule_that_takes_no_unit_has_a_note(change: dict[str, Any], reason: str) -> None:
    flags = [{**FLAG, "rules": [{**RULE, **change}]}]
    imported = confidence.read({"account": "acme", "state": {**STATE, "flags": flags}})
    assert (len(imported.flags), imported.experiments) == (1, [])
    assert [note.path for note in imported.notes] == ["$.state.flags[0].rules[0]"]
    assert reason in imported.notes[0].message
