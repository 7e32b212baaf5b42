"""Flags and their variants: enough to run experiments behind them, and to resolve them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create, OrderExperiments, SwitchFlag
from allotment.model.flag import Flag, FlagState, Variation
from resolving import flag, refusal, resolved, run
from tenant import Vendor, vendor

FLAG = "/v1/flags/login-box"
VALUES = {
    "text": "Log in",
    "shown": True,
    "size": 1.5,
    "count": 3,
    "tags": ["a"],
    "box": {"width": 300},
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Vendor]:
    with vendor(tmp_path) as made:
        yield made


def variant(api: Vendor, key: str, value: Any) -> Any:
    return api.post(f"{FLAG}/variants?variantId={key}", {"value": value})


def test_a_flag_comes_back_as_it_was_sent(api: Vendor) -> None:
    sent = {
        "description": "Which box",
        "labels": {"team": "growth"},
        "owner": "identities/someone",
    }
    value = {"value": VALUES, "description": "All there is", "labels": {"a": "b"}}
    variants = [{"name": "flags/login-box/variants/new", **value}]
    shown = api.post("/v1/flags?flagId=login-box", {**sent, "variants": variants})
    times = {"createTime": shown["createTime"], "updateTime": shown["createTime"]}
    times |= {"creator": "loopback", "updater": "loopback"}
    assert shown == {
        "name": "flags/login-box",
        "state": "ACTIVE",
        **sent,
        "variants": [{**variants[0], **times}],
        "schema": shown["schema"],
        "rules": [],
        "clients": [],
        **times,
    }
    assert api.get(FLAG) == shown
    assert api.get("/v1/flags") == {"flags": [shown], "nextPageToken": ""}
    assert api.get(f"{FLAG}/variants") == {"variants": shown["variants"], "nextPageToken": ""}
    assert api.get(f"{FLAG}/variants/new") == shown["variants"][0]


def test_a_flag_gets_twenty_characters_for_a_name_where_it_is_given_none(api: Vendor) -> None:
    name = api.post("/v1/flags", {})["name"].removeprefix("flags/")
    assert len(name) == 20
    assert name.isalnum()


def test_the_schema_is_what_the_values_are_and_else_what_was_sent(api: Vendor) -> None:
    sent = {"schema": {"later": {"stringSchema": {}}, "size": {"stringSchema": {}}}}
    assert api.post("/v1/flags?flagId=login-box", {"schema": sent})["schema"] == sent
    variant(api, "one", VALUES)
    variant(api, "other", {"count": 2.5, "box": {"height": 10, "width": None}, "none": None})
    assert api.get(FLAG)["schema"]["schema"] == {
        "text": {"stringSchema": {}},
        "shown": {"boolSchema": {}},
        "size": {"doubleSchema": {}},
        "count": {"doubleSchema": {}},
        "tags": {"listSchema": {"elementSchema": {"stringSchema": {}}}},
        "box": {
            "structSchema": {"schema": {"width": {"intSchema": {}}, "height": {"intSchema": {}}}}
        },
        "later": {"stringSchema": {}},
    }


def test_variants_are_added_changed_and_taken_away(api: Vendor) -> None:
    flag(api)
    added = variant(api, "third", {"shown": False})
    assert added["name"] == "flags/login-box/variants/third"
    path = f"{FLAG}/variants/third"
    changed = api.patch(path, {"value": {"text": "New"}})
    assert changed["value"] == {"shown": False, "text": "New"}  # by the fields that are given
    changed = api.patch(f"{path}?updateMask=value", {"value": {"text": "Newer"}})
    assert changed["value"] == {"text": "Newer"}
    changed = api.patch(f"{path}?updateMask=description,labels", {"labels": {"a": "b"}})
    assert (changed["description"], changed["labels"]) == ("", {"a": "b"})
    assert api.call("DELETE", path).json() == {}
    assert api.call("GET", path).status_code == 404
    assert [each["name"].rpartition("/")[2] for each in api.get(FLAG)["variants"]] == [
        "control",
        "new",
    ]


def test_a_variant_that_an_experiment_gives_is_not_taken_away(api: Vendor) -> None:
    flag(api)
    run(api, None)
    assert refusal(api, "DELETE", f"{FLAG}/variants/new")[:2] == (400, 9)
    assert resolved(api, {"targeting_key": "someone"})["variant"]


def test_a_mask_names_what_is_changed(api: Vendor) -> None:
    api.post("/v1/flags?flagId=login-box", {"description": "Old", "labels": {"a": "b"}})
    body = {"description": "New", "labels": {"c": "d"}}
    assert api.patch(f"{FLAG}?updateMask=description", body)["labels"] == {"a": "b"}
    assert "labels" not in api.patch(f"{FLAG}?update_mask=labels", {})
    assert api.patch(f"{FLAG}?updateMask=*", {})["description"] == ""


@pytest.mark.parametrize("field", ["variants", "rules", "clients"])
def test_what_is_not_set_with_the_flag_says_where_it_is(api: Vendor, field: str) -> None:
    flag(api)
    status, code, message = refusal(api, "PATCH", FLAG, {field: []})
    assert (status, code) == (400, 3)
    assert f"$.{field}" in message
    assert refusal(api, "PATCH", f"{FLAG}?updateMask={field}", {})[:2] == (400, 3)


def test_an_archived_flag_stays_so_and_resolves_no_more(api: Vendor) -> None:
    flag(api)
    assert api.post(f"{FLAG}:archive")["state"] == "ARCHIVED"
    assert api.post("/v1/flags:resolve", {"flags": ["flags/login-box"]})["resolvedFlags"] == []
    assert api.post("/v1/flags:resolve", {})["resolvedFlags"] == []
    assert api.post(f"{FLAG}:archive", {})["state"] == "ARCHIVED"


def test_a_rule_is_told_for_each_experiment_of_the_flag(api: Vendor) -> None:
    flag(api)
    api.post("/v1/segments?segmentId=nordics", {})
    run(api, "nordics", unit="visitor.id")
    (rule,) = api.get(FLAG)["rules"]
    assert rule == {
        "name": rule["name"],
        "segment": "segments/nordics",
        "enabled": True,
        "targetingKeySelector": "visitor.id",
        "assignmentSpec": {
            "bucketCount": 2,
            "assignments": [
                {
                    "assignmentId": key,
                    "variant": {"variant": f"flags/login-box/variants/{key}"},
                    "bucketRanges": [{"lower": at, "upper": at + 1}],
                }
                for at, key in enumerate(("control", "new"))
            ],
        },
    }
    found = resolved(api, {"visitor": {"id": "someone"}})
    assert found["assignmentOrigin"] == rule["name"]


# Flags that are made elsewhere.


def elsewhere(api: Vendor, *values: str, state: FlagState = FlagState.ON) -> None:
    variations = tuple(Variation(f"v{n}", value, "Name") for n, value in enumerate(values))
    api.apply(Create(Flag("elsewhere", variations, "v0", state=state)))


def test_values_that_are_no_objects_show_one_field(api: Vendor) -> None:
    elsewhere(api, "false", "true")
    shown = api.get("/v1/flags/elsewhere")
    assert [each["value"] for each in shown["variants"]] == [{"value": False}, {"value": True}]
    assert shown["schema"] == {"schema": {"value": {"boolSchema": {}}}}
    assert resolved(api, {}, "flags/elsewhere")["value"] == {"value": False}
    path = "/v1/flags/elsewhere/variants/v1"
    api.patch(path, {"value": {"value": "text"}})
    assert api.catalog.flags["elsewhere"].variations[1].value == '"text"'
    assert refusal(api, "PATCH", path, {"value": {"other": 1}})[:2] == (400, 3)


def test_whoever_gets_no_treatment_gets_the_default_of_a_flag_that_has_one(api: Vendor) -> None:
    elsewhere(api, '{"a":1}', '{"a":2}', state=FlagState.OFF)
    found = resolved(api, {"targeting_key": "someone"}, "flags/elsewhere")
    assert (found["variant"], found["value"]) == ("flags/elsewhere/variants/v0", {"a": 1})
    assert found["shouldApply"] is False
    assert api.get("/v1/flags/elsewhere")["state"] == "ACTIVE"
    assert refusal(api, "DELETE", "/v1/flags/elsewhere/variants/v0")[:2] == (400, 9)


def test_a_flag_of_ours_has_no_variant_for_whoever_gets_none(api: Vendor) -> None:
    flag(api)
    path = f"{FLAG}/variants/client-default"
    assert refusal(api, "GET", path)[:2] == (404, 5)
    assert refusal(api, "DELETE", path)[:2] == (404, 5)
    made = refusal(api, "POST", f"{FLAG}/variants?variantId=client-default", {"value": {}})
    assert made[:2] == (409, 6)


def test_text_is_changed_through_another_api_and_seen_here(api: Vendor) -> None:
    flag(api)
    run(api, None)
    api.apply(SwitchFlag("login-box", FlagState.OFF), OrderExperiments("login-box", ()))
    assert resolved(api, {"targeting_key": "someone"})["reason"] == (
        "RESOLVE_REASON_NO_SEGMENT_MATCH"
    )
    assert api.get(FLAG)["rules"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/v1/flags/nothing", None, (404, 5)),
        ("PATCH", "/v1/flags/nothing", {}, (404, 5)),
        ("POST", "/v1/flags/nothing:archive", None, (404, 5)),
        ("GET", "/v1/flags/nothing/variants", None, (404, 5)),
        ("POST", "/v1/flags/nothing/variants", {"value": {}}, (404, 5)),
        ("GET", f"{FLAG}/variants/nothing", None, (404, 5)),
        ("PATCH", f"{FLAG}/variants/nothing", {}, (404, 5)),
        ("DELETE", f"{FLAG}/variants/nothing", None, (404, 5)),
        ("POST", "/v1/flags?flagId=login-box", {}, (409, 6)),
        ("POST", f"{FLAG}/variants?variantId=control", {"value": {}}, (409, 6)),
        ("POST", "/v1/flags?flagId=abc", {}, (400, 3)),
        ("POST", "/v1/flags?flagId=with_underscore", {}, (400, 3)),
        ("POST", f"/v1/flags?flagId={'x' * 64}", {}, (400, 3)),
        ("POST", "/v1/flags", {"nonsense": 1}, (400, 3)),
        ("POST", "/v1/flags", {"rules": [{}]}, (400, 3)),
        ("POST", "/v1/flags", {"clients": ["clients/web"]}, (400, 3)),
        (
            "POST",
            "/v1/flags",
            {"variants": [{"name": "flags/a/variants/b", "value": {}}]},
            (400, 3),
        ),
        ("POST", f"{FLAG}/variants", {}, (400, 3)),
        ("POST", f"{FLAG}/variants", {"value": 1}, (400, 3)),
        ("DELETE", FLAG, None, (405, 12)),
    ],
)
def test_refusals(
    api: Vendor, method: str, path: str, body: Any, expected: tuple[int, int]
) -> None:
    flag(api)
    assert refusal(api, method, path, body)[:2] == expected
