"""Every field of every body is taken in lowerCamelCase and in snake_case."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from allotment.dialects.confidence.operations import OPERATIONS
from allotment.dialects.confidence.protobuf import Message, fields_of, forms_in, respelled
from allotment.dialects.confidence.resolving import ConfidenceApplyRequest, ConfidenceResolveRequest
from allotment.dialects.wire.operation import Changing
from allotment.errors import InvalidInput
from resolving import SWEDEN, flag, run
from tenant import Vendor, vendor
from workspace import INSTANCES, MODULES, OWN, Workspace, every_field

BODIES = {
    *(each.body for each in OPERATIONS if isinstance(each, Changing) and each.body is not None),
    *(ConfidenceResolveRequest, ConfidenceApplyRequest),
}
# Messages may contain themselves.
DEPTH_MAX = 7

SEGMENT = {
    "displayName": "Swedes",
    "targeting": SWEDEN,
    "allocation": {"proportion": {"value": "0.5"}, "exclusivityTags": ["x"]},
    "labels": {"my_team": "a", "myTeam": "b"},
}
# Names of fields in the bodies below; what an instance keeps as it comes has others.
FIELDS = {
    *(*OWN, *MODULES, *(field for module in MODULES.values() for field in module)),
    *("displayName", "imageUri", "exclusivityTags", "attributeName", "eqRule", "stringValue"),
}


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Vendor]:
    with vendor(tmp_path) as made:
        flag(made)
        yield made


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


def example(form: Any, spell: Any, depth: int = 0) -> Any:
    """A value of a field of this form; a message has every field, each spelled by `spell`."""
    if get_origin(form) is list:
        return [example(next(forms_in(get_args(form)[0])), spell, depth + 1)] * 2
    if get_origin(form) is dict:
        return {"kept_asIt_is": example(next(forms_in(get_args(form)[1])), spell, depth + 1)}
    if not isinstance(form, type) or not issubclass(form, Message) or depth > DEPTH_MAX:
        return {"kept_asIt_is": 1}
    fields = {name: example(forms[0], spell, depth + 1) for name, forms in fields_of(form).items()}
    told = {name: {"kept_asIt_is": 1} for name in form.output_only}
    return {spell(name): value for name, value in {**fields, **told}.items()}


@pytest.mark.parametrize("body", sorted(BODIES, key=str), ids=lambda body: body.__name__)
def test_every_declared_field_is_taken_in_either_spelling(body: Any) -> None:
    usual = example(body, str)
    assert respelled(usual, body) == usual
    assert respelled(example(body, snake), body) == usual


def test_a_field_in_both_spellings_is_refused() -> None:
    body = {"resolve_token": "a", "resolveToken": "b"}
    for tree in (body, dict(reversed(body.items()))):
        with pytest.raises(InvalidInput, match="two spellings") as refused:
            respelled(tree, ConfidenceApplyRequest)
        assert refused.value.path == "$.resolveToken"


def snaked(body: Any) -> bytes:
    """The body with the names of its fields in snake_case."""

    def spelled(tree: Any) -> Any:
        if isinstance(tree, list):
            return [spelled(each) for each in tree]
        if not isinstance(tree, dict):
            return tree
        return {
            snake(name) if name in FIELDS else name: value if name == "labels" else spelled(value)
            for name, value in tree.items()
        }

    return json.dumps(spelled(body)).encode()


def test_an_instance_in_snake_case_is_the_one_in_camel_case(api: Workspace) -> None:
    api.segment()
    body = every_field()
    made = api.done(api.send("POST", INSTANCES, snaked(body)))
    other = api.post(INSTANCES, body)
    told = ("name", "displayName", "createTime", "updateTime", "stateHistory", "checks")
    one, two = ({k: v for k, v in each.items() if k not in told} for each in (made, other))
    one["flags"]["rule"] = two["flags"]["rule"]
    assert one == two


def test_a_segment_in_snake_case_is_the_one_in_camel_case(plain: Vendor) -> None:
    for key, content in (("one", json.dumps(SEGMENT).encode()), ("two", snaked(SEGMENT))):
        plain.done(plain.send("POST", f"/v1/segments?segment_id={key}", content))
    shown = [plain.get(f"/v1/segments/{key}") for key in ("one", "two")]
    for field in ("displayName", "targeting", "allocation", "labels"):
        assert shown[0][field] == shown[1][field]
        assert field != "labels" or shown[1][field] == SEGMENT[field]
    patch = {"allocation": {"exclusive_to": ["x"]}}
    done = plain.send("PATCH", "/v1/segments/two", json.dumps(patch).encode())
    assert plain.done(done)["allocation"]["exclusiveTo"] == ["x"]


def test_keys_that_a_request_chooses_stay_as_they_are(plain: Vendor) -> None:
    value = {"my_field": {"innerField": 1}}
    path = "/v1/flags/login-box/variants"
    shown = plain.post(f"{path}?variantId=third", {"value": value})
    assert shown["value"] == value
    run(plain, None, unit="my_key")
    body = {"evaluation_context": {"my_key": "unit-1", "myKey": 1}, "flags": ["flags/login-box"]}
    answer = plain.done(plain.send("POST", "/v1/flags:resolve", json.dumps(body).encode()))
    assert answer["resolvedFlags"][0]["variant"]
