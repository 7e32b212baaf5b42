"""What is refused, with its status and its code of gRPC."""

from typing import Any

import pytest

from allotment.change.commands import SwitchFlag
from allotment.dialects.confidence.names import instance_id
from allotment.model.flag import FlagState
from allotment.model.limits import KEPT_CHARACTERS_MAX
from workspace import INSTANCES, LINK, WORKFLOW, Workspace, arms

NOWHERE = f"{INSTANCES}/{instance_id('nowhere')}"
BLUE = "flags/button/variants/blue"


def treatments(*items: Any) -> dict[str, Any]:
    return {"abtest": {"treatments": [*items]}}


@pytest.mark.parametrize(
    "fields",
    [
        {"displayName": ""},
        {"displayName": None},
        {"displayName": 7},
        {"displayName": "x" * 1025},
        {"displayName": "a\0b"},
        {"nothing": 1},
        {"abtest": []},
        {"abtest": {"nothing": 1}},
        {"abtest": {"flag": 7}},
        {"abtest": {"flag": "button"}},
        {"abtest": {"flag": "flags/nothing"}},
        {"abtest": {"flag": "flags/button/variants/blue"}},
        {"abtest": {"flag": "flags/button"}, "flags": {"flag": "flags/link"}},
        {"abtest": {"flag": "flags/link", "treatments": arms(1, 1)}},
        {"flags": {"flag": "flags/link"}, "abtest": {"treatments": arms(1, 1)}},
        treatments(*arms(1, 1), {"variant": "flags/link/variants/blue"}),
        treatments({"variant": "flags/button/variants/pink"}),
        treatments({"variant": "flags/button"}),
        treatments({"variant": "flags/button/rules/blue"}),
        treatments({"variant": 7}),
        treatments({"variant": BLUE, "wieght": 7}),
        treatments({"variant": BLUE, "weight": -1}),
        treatments({"variant": BLUE, "weight": 0.5}),
        treatments({"variant": BLUE, "weight": True}),
        treatments({"variant": BLUE, "weight": "0.5"}),
        treatments({"variant": BLUE, "weight": ""}),
        treatments({"variant": BLUE, "weight": "٣"}),
        treatments({"variant": BLUE, "weight": 2**31}),
        treatments({"variant": BLUE, "displayName": 7}),
        treatments({"variant": BLUE, "imageUri": {}}),
        treatments("blue"),
        treatments(*[{}] * 257),
        {"flags": {"segment": "segments/nothing"}},
        {"flags": {"segment": "nordics"}},
        {"flags": {"segment": 7}},
        {"flags": {"targetingKeySelector": "user"}},
        {"flags": {"targetingKeySelector": "a b"}},
        {"flags": {"intakePaused": "false"}},
        {"flags": {"stickyAssignments": 1}},
        {"flags": {"audiences": {}}},
        {"surfaces": [1]},
        {"surfaces": "web"},
        {"stats": {"alpha": "0.05"}},
        {"stats": {"power": True}},
        {"reviews": {"approvalRequired": "yes"}},
        {"metrics": {"metrics": {}}},
        {"hypothesis": "text"},
        {"owner": ["a"]},
        {"jobQueue": 5},
        {"jobQueue": [{}]},
        {"labels": "x"},
        {"labels": ["x"]},
        {"labels": 5},
        {"metrics": {"metrics": [1]}},
        {"report": {"sections": ["a"]}},
    ],
)
def test_what_is_malformed_is_refused_alike_when_it_is_made_and_changed(
    api: Workspace, fields: dict[str, Any]
) -> None:
    api.flag(LINK)
    before = api.catalog
    for path in (INSTANCES, WORKFLOW):
        assert api.refused("POST", path, {"displayName": "Refused", **fields}) == (400, 3)
    assert api.catalog == before
    made = api.post(INSTANCES, {"displayName": "Bare"})
    mask = "displayName" if fields == {"displayName": None} else None
    assert api.refused_update(made, fields, mask) == (400, 3)


def test_a_name_is_required(api: Workspace) -> None:
    assert api.refused("POST", INSTANCES, {}) == (400, 3)
    assert api.refused("POST", INSTANCES, []) == (400, 3)


def test_an_archived_flag_takes_no_instance(api: Workspace) -> None:
    api.apply(SwitchFlag("button", FlagState.ARCHIVED))
    body = {"displayName": "Late", "abtest": {"flag": "flags/button"}}
    assert api.refused("POST", INSTANCES, body) == (400, 9)


def test_what_is_kept_has_a_limit(api: Workspace) -> None:
    body = {"displayName": "Long", "report": {"sections": ["x" * KEPT_CHARACTERS_MAX]}}
    assert api.refused("POST", INSTANCES, body)[0] == 400


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"displayName": "New"}),
        ("DELETE", "", None),
        ("POST", ":clone", {}),
        ("POST", ":transition", {"targetState": "live"}),
    ],
)
def test_an_instance_that_is_not_there_is_not_found(
    api: Workspace, method: str, suffix: str, body: Any
) -> None:
    assert api.refused(method, f"{NOWHERE}{suffix}", body) == (404, 5)
    for name in ("x", "0" * 20, "A" * 20, "z" * 20, "%C3%A5" * 20):
        assert api.refused(method, f"{INSTANCES}/{name}{suffix}", body) == (404, 5)


def test_a_method_or_path_that_is_not_there_has_this_api_s_body(api: Workspace) -> None:
    made = api.draft(5000, 5000)
    assert api.refused("PUT", f"/{made['name']}", {}) == (405, 12)
    assert api.refused("POST", f"/{made['name']}:addexploratoryanalysis", {})[1] in (5, 12)
    assert api.refused("GET", "/workflows/rollout/instances") == (404, 5)


@pytest.mark.parametrize(
    "body",
    [{"displayName": ""}, {"parameters": {"a": 1}}, {"parameters": []}, {"nothing": 1}, []],
)
def test_a_clone_takes_a_name_and_no_parameters(api: Workspace, body: Any) -> None:
    made = api.draft(5000, 5000)
    assert api.refused("POST", f"/{made['name']}:clone", body) == (400, 3)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"a":1,"a":2}', b"\xff"])
def test_a_body_that_is_no_document_is_refused(api: Workspace, content: bytes) -> None:
    made = api.draft(5000, 5000)
    for method, path in (("POST", INSTANCES), ("PATCH", f"/{made['name']}")):
        answer = api.send(method, path, content, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, 3)
    answer = api.send("POST", INSTANCES, b"a=b", content_type="text/plain")
    assert (answer.status_code, answer.json()["code"]) == (415, 3)
