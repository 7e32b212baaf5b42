"""What was made elsewhere is shown as nearest, and stays as it is until a request names it."""

from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create
from allotment.cli.changes import commands_of
from allotment.dialects.auth0.segments import show_rules
from allotment.model.catalog import EMPTY
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
    Segment,
)
from tenant import Tenant

CATALOG = """
allotment: 1
flags:
  button:
    default: blue
    variations: {blue: "#00f", green: "#0f0", none: null}
  banner:
    default: plain
    variations:
      plain: {value: {text: hello, size: 1}}
      large: {value: {text: hello, size: 2, bold: true}}
segments:
  nordics:
    include: [user-1]
    rules:
      - {attribute: country, in: [SE, "NO"]}
experiments:
  checkout:
    unit: user
    treatments:
      control: {control: true, sets: {button: blue, banner: plain}}
      green: {sets: {button: green, banner: large}}
      none: {sets: {button: none, banner: plain}}
    state: running
    enrolment: "12.5%"
    overrides: {user-9: none}
    allocations:
      - {segment: nordics, weights: {control: 1, green: 1, none: 1}, of: 3}
      - {fallback: true, weights: {control: 40, green: 60}}
"""


@pytest.fixture
def foreign(api: Tenant, tmp_path: Path) -> Tenant:
    file = tmp_path / "catalog.yaml"
    file.write_text(CATALOG)
    api.apply(*commands_of(file, EMPTY))
    return api


def only(api: Tenant, path: str) -> Any:
    ((_, (one,)),) = api.get(path).items()
    return one


def test_a_flag_of_plain_values_shows_one_parameter(foreign: Tenant) -> None:
    flags = {one["name"]: one for one in foreign.get("/feature-flags")["feature_flags"]}
    button = flags["button"]
    assert button["status"] == "active"
    assert button["parameters"] == {"value": {"type": "string", "value": "#00f"}}
    path = f"/feature-flags/{button['id']}"
    variations = foreign.get(f"{path}/variations")["variations"]
    assert {one["name"]: one["overrides"] for one in variations} == {
        "blue": {},
        "green": {"value": {"value": "#0f0"}},
        "none": {"value": {"value": None}},
    }
    ids = {one["name"]: one["id"] for one in variations}
    body: dict[str, Any] = {"overrides": {"value": {"value": "#0a0"}}}
    foreign.patch(f"{path}/variations/{ids['green']}", body)
    assert foreign.refused("PATCH", f"{path}/variations/{ids['blue']}", body) == (
        400,
        "invalid_body",
    )
    assert foreign.refused("DELETE", f"{path}/variations/{ids['blue']}") == (
        409,
        "variation_in_use",
    )
    body = {"parameters": {"other": {"type": "string", "value": "x"}}}
    assert foreign.refused("PATCH", path, body) == (400, "invalid_body")
    foreign.post(f"{path}/variations", {"name": "Red", "overrides": {"value": {"value": "#f00"}}})
    body = {"parameters": {"value": {"type": "string", "value": "#00a"}}}
    assert foreign.refused("PATCH", path, body) == (400, "parameter_overridden"), "null is no text"
    foreign.patch(f"{path}/variations/{ids['none']}", {"overrides": {}})
    foreign.patch(path, body)
    values = {one.key: one.value for one in foreign.catalog.flags["button"].variations}
    assert values == {"blue": '"#00a"', "green": '"#0a0"', "none": '"#00a"', "red": '"#f00"'}


def test_a_flag_of_objects_shows_the_default_s_entries(foreign: Tenant) -> None:
    flags = {one["name"]: one for one in foreign.get("/feature-flags")["feature_flags"]}
    banner = flags["banner"]
    assert banner["parameters"] == {
        "text": {"type": "string", "value": "hello"},
        "size": {"type": "number", "value": 1},
    }
    variations = foreign.get(f"/feature-flags/{banner['id']}/variations")["variations"]
    assert [one["overrides"] for one in variations] == [
        {},
        {"size": {"value": 2}, "bold": {"value": True}},
    ]


def test_an_experiment_shows_a_treatment_s_share_of_a_segment(foreign: Tenant) -> None:
    one = only(foreign, "/experiments")
    flags = {flag["name"]: flag["id"] for flag in foreign.get("/feature-flags")["feature_flags"]}
    assert one["name"] == "checkout"
    assert one["feature_flag_id"] == flags["banner"]
    assert one["authentication_flow"] == "all"
    assert one["assignment_config"] == {"subject": "user"}
    assert (one["status"], one["current_level"]) == ("active", 13)
    assert one["allocation_strategy"] == "segment"
    said = ("segment_name", "priority", "weight", "is_fallback", "is_control")
    assert [tuple(item.get(name) for name in said) for item in one["allocations"]] == [
        ("nordics", 1, 34, False, True),
        ("nordics", 1, 33, False, False),
        ("nordics", 1, 33, False, False),
        (None, None, 40, True, True),
        (None, None, 60, True, False),
    ]


def test_what_is_sent_as_it_was_shown_changes_nothing(foreign: Tenant) -> None:
    revision = foreign.catalog.revision
    one = only(foreign, "/experiments")
    said = ("variation_id", "weight", "segment_id", "priority", "is_control", "is_fallback")
    items = [{name: item[name] for name in said if name in item} for item in one["allocations"]]
    fields = ("name", "authentication_flow", "assignment_config")
    foreign.patch(
        f"/experiments/{one['id']}", {**{f: one[f] for f in fields}, "allocations": items}
    )
    segment = only(foreign, "/segments")
    foreign.patch(f"/segments/{segment['id']}", {"rules": segment["rules"]})
    for flag in foreign.get("/feature-flags")["feature_flags"]:
        path = f"/feature-flags/{flag['id']}"
        foreign.patch(path, {"parameters": flag["parameters"]})
        for variation in foreign.get(f"{path}/variations")["variations"]:
            at = f"{path}/variations/{variation['id']}"
            foreign.patch(at, {"overrides": variation["overrides"]})
    assert foreign.catalog.revision == revision


def test_rules_that_are_named_replace_rules_and_leave_lists(foreign: Tenant) -> None:
    segment = only(foreign, "/segments")
    rules = [{"match": {"country": ["FI"]}}]
    assert foreign.patch(f"/segments/{segment['id']}", {"rules": rules})["rules"] == rules
    noun = foreign.catalog.segments["nordics"]
    assert (noun.include, noun.unit) == (IdList.of(["user-1"]), "user")


def test_an_override_keeps_its_treatment(foreign: Tenant) -> None:
    one = only(foreign, "/experiments")
    foreign.patch(f"/experiments/{one['id']}", {"status": "paused"})
    variations = {item["variation_name"]: item["variation_id"] for item in one["allocations"]}
    items = [
        {"variation_id": variations["plain"], "is_fallback": True, "is_control": True},
    ]
    refusal = foreign.refused("PATCH", f"/experiments/{one['id']}", {"allocations": items})
    assert refusal == (409, "variation_in_use")


def clause(attribute: str, operator: Operator, *values: Any) -> Clause:
    return Clause(tuple(attribute.split(".")), operator, values)


SWEDE = clause("country", Operator.IN, "SE")
SHOWN: list[tuple[Condition, list[Any]]] = [
    (SWEDE, [{"match": {"country": ["SE"]}}]),
    (Not(SWEDE), [{"not_match": {"country": ["SE"]}}]),
    (clause("age", Operator.IN, 7, 1.5, True), [{"match": {"age": ["7", "1.5", "true"]}}]),
    (clause("a.b", Operator.CONTAINS, "x"), [{"match": {"a.b": {"contains": ["x"]}}}]),
    (clause("country", Operator.MATCHES, "^S"), [{"match": {"country": {"exists": True}}}]),
    (clause("age", Operator.LESS, 7), [{"match": {"age": {"exists": True}}}]),
    (Not(clause("age", Operator.EXISTS)), [{"match": {"age": {"exists": False}}}]),
    (AnyOf((SWEDE, Not(SWEDE))),
     [{"match": {"country": ["SE"]}}, {"not_match": {"country": ["SE"]}}]),
    (AllOf((SWEDE, Not(AnyOf((clause("region", Operator.IN, "n"),))))),
     [{"match": {"country": ["SE"]}, "not_match": {"region": ["n"]}}]),
    (AllOf((SWEDE, clause("country", Operator.ENDS_WITH, "E"))),
     [{"match": {"country": ["SE"]}}]),
    (AllOf((SWEDE, InSegment("other"))), [{"match": {"country": ["SE"]}}]),
    (AllOf((SWEDE, AnyOf((SWEDE, SWEDE)))), [{"match": {"country": ["SE"]}}]),
    (InSegment("other"), [{"match": {}}]),
    (Not(InSegment("other")), [{"match": {}}]),
    (Not(AllOf((SWEDE,))), [{"match": {}}]),
    (AllOf(()), [{"match": {}}]),
    (AnyOf(()), []),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "rules"), SHOWN)
def test_conditions_are_shown_as_far_as_they_can_be_said(
    condition: Condition, rules: list[Any]
) -> None:
    assert show_rules([condition]) == rules


def test_a_segment_without_rules_is_shown_without(api: Tenant) -> None:
    api.apply(Create(Segment("listed", unit="user", include=IdList.of(["user-1"]))))
    assert only(api, "/segments")["rules"] == []
