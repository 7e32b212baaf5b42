"""Segments: rules that come back as they were sent, and mean what they say."""

from typing import Any, get_args

import pytest

from allotment.dialects.auth0.segments import Attribute
from tenant import RULES, Tenant

FORMS: list[Any] = [
    ["a", "b"],
    {"contains": ["a"]},
    {"starts_with": ["a", ""]},
    {"ends_with": ["é"]},
    {"exists": True},
    {"exists": False},
]


def test_a_segment_comes_back_as_it_was_sent(api: Tenant) -> None:
    rules = [
        {"match": dict(zip(get_args(Attribute), FORMS, strict=False))},
        {"not_match": dict(zip(reversed(get_args(Attribute)), FORMS, strict=False))},
        {"match": {"country": ["SE"]}, "not_match": {"country": ["NO"], "region": ["north"]}},
        {"match": {"country": {"exists": False}}, "not_match": {"country": {"exists": True}}},
    ]
    body = {"name": "Everything", "description": "All there is", "rules": rules}
    shown = api.post("/segments", body)
    assert shown == {
        "id": shown["id"],
        "type": "self",
        "status": "active",
        **body,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }
    assert api.get(f"/segments/{shown['id']}") == shown


MEANINGS: list[tuple[Any, dict[str, Any], bool]] = [
    ({"match": {"country": ["SE", "NO"]}}, {"country": "NO"}, True),
    ({"match": {"country": ["SE", "NO"]}}, {"country": "no"}, False),
    ({"match": {"country": ["SE"]}}, {}, False),
    ({"match": {"country": ["SE"], "browser": ["Firefox"]}}, {"country": "SE"}, False),
    ({"match": {"user_agent": {"contains": ["Chr", "Fire"]}}}, {"user_agent": "Firefox"}, True),
    ({"match": {"domain": {"starts_with": ["www."]}}}, {"domain": "a.www.b"}, False),
    ({"match": {"domain": {"ends_with": [".com", ".org"]}}}, {"domain": "b.org"}, True),
    ({"match": {"region": {"exists": True}}}, {"region": "north"}, True),
    ({"match": {"region": {"exists": True}}}, {"region": None}, False),
    ({"match": {"region": {"exists": False}}}, {}, True),
    ({"not_match": {"country": ["SE"]}}, {"country": "SE"}, False),
    ({"not_match": {"country": ["SE"]}}, {}, True),
    ({"not_match": {"country": ["SE"], "region": ["north"]}}, {"country": "SE"}, False),
    ({"not_match": {"country": ["SE"], "region": ["north"]}}, {"country": "FR"}, True),
    ({"not_match": {"region": {"exists": True}}}, {"region": "north"}, False),
    ({"not_match": {"region": {"exists": False}}}, {"region": "north"}, True),
    ({"match": {"country": ["SE"]}, "not_match": {"region": ["north"]}}, {"country": "SE"}, True),
]


def test_rules_mean_what_they_say(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    segment = api.segment()
    items = [
        {"variation_id": new, "segment_id": segment, "is_control": False},
        {"variation_id": control, "is_fallback": True, "is_control": True},
    ]
    one = api.experiment(flag, items, allocation_strategy="segment")
    api.patch(f"/experiments/{one['id']}", {"status": "active"})
    for rule, known, is_member in MEANINGS:
        api.patch(f"/segments/{segment}", {"rules": [rule]})
        answer = api.engine.assign("shorter-login", "device-1", known)
        assert (answer.treatment == "new") is is_member, (rule, known)


def test_a_segment_matches_where_any_of_its_rules_does(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    segment = api.segment(rules=[*RULES, {"match": {"browser": ["Firefox"]}}])
    items = [
        {"variation_id": new, "segment_id": segment, "is_control": False},
        {"variation_id": control, "is_fallback": True, "is_control": True},
    ]
    one = api.experiment(flag, items, allocation_strategy="segment")
    api.patch(f"/experiments/{one['id']}", {"status": "active"})
    for known, treatment in (
        ({"country": "SE"}, "new"),
        ({"browser": "Firefox"}, "new"),
        ({"country": "FR", "browser": "Chrome"}, "control"),
    ):
        assert api.engine.assign("shorter-login", "device-1", known).treatment == treatment


def test_archiving_is_final_and_steers_nothing(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    segment = api.segment()
    items = [
        {"variation_id": new, "segment_id": segment, "is_control": False},
        {"variation_id": control, "is_fallback": True, "is_control": True},
    ]
    one = api.experiment(flag, items, allocation_strategy="segment")
    api.patch(f"/experiments/{one['id']}", {"status": "active"})
    path = f"/segments/{segment}"
    body = {"name": "Renamed first", "status": "archived"}
    assert api.patch(path, body) == {
        **api.get(path),
        "name": "Renamed first",
        "status": "archived",
    }
    assert api.patch(path, {"status": "archived"})["status"] == "archived"
    assert api.refused("PATCH", path, {"status": "active"}) == (400, "segment_archived")
    answer = api.engine.assign("shorter-login", "device-1", {"country": "SE"})
    assert answer.treatment == "new"
    assert [each["id"] for each in api.get("/segments")["segments"]] == [segment]


def test_a_segment_that_is_allocated_stays_until_its_experiment_is_archived(api: Tenant) -> None:
    flag, (control, new) = api.flag()
    segment = api.segment()
    items = [
        {"variation_id": new, "segment_id": segment, "is_control": False},
        {"variation_id": control, "is_fallback": True, "is_control": True},
    ]
    one = api.experiment(flag, items, allocation_strategy="segment")
    for status in ("active", "completed"):
        assert api.refused("DELETE", f"/segments/{segment}") == (409, "segment_in_use")
        api.patch(f"/experiments/{one['id']}", {"status": status})
    api.patch(f"/experiments/{one['id']}", {"status": "archived"})
    api.delete(f"/segments/{segment}")
    api.delete(f"/segments/{segment}")
    shown = api.get(f"/experiments/{one['id']}")["allocations"][0]
    assert shown["segment_id"] == segment
    assert "segment_name" not in shown


def rules_of(size: int) -> list[Any]:
    """One rule of exactly so many bytes as JSON."""
    bare = len('{"match":{"country":[""]}}')
    values, left = [], size - bare
    while left > 1024:
        values.append("x" * 1021)
        left -= 1024
    return [{"match": {"country": [*values, "x" * left]}}]


@pytest.mark.parametrize(("size", "status"), [(4096, 201), (4097, 400)])
def test_a_rule_has_4_kb_at_most(api: Tenant, size: int, status: int) -> None:
    body = {"name": "Large rule", "rules": rules_of(size)}
    assert api.call("POST", "/segments", body).status_code == status


@pytest.mark.parametrize(("last", "status"), [(2044, 201), (2045, 400)])
def test_a_segment_has_10_kb_at_most(api: Tenant, last: int, status: int) -> None:
    rules = [*rules_of(4096), *rules_of(4096), *rules_of(last)]  # two commas, two brackets
    body = {"name": "Large segment", "rules": rules}
    assert api.call("POST", "/segments", body).status_code == status


def test_a_byte_is_a_byte_of_utf_8(api: Tenant) -> None:
    rules = [{"match": {"country": ["é" * 1024, "é" * 900, "é" * 200]}}]
    body = {"name": "Wide letters", "rules": rules}
    assert api.refused("POST", "/segments", body) == (400, "invalid_body")
