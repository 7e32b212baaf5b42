"""What scripts call before an experiment: metrics, environments, flag statuses, caller identity."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create, SwitchFlag
from allotment.model.flag import Flag, FlagState, Variation
from ldproject import iteration, refusal
from ldwhole import STAGING, Project, project
from tenant import SPACE

METRICS = "/metrics/default"
GROUPS = "/projects/default/metric-groups"
ENVIRONMENTS = "/projects/default/environments"
METRIC = {"key": "sales", "kind": "custom", "eventKey": "bought"}
GROUP = {"key": "steps", "name": "Steps", "kind": "funnel", "metrics": [{"key": "sales"}]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        yield made


def flag(key: str, state: FlagState = FlagState.ON) -> Create:
    variations = (Variation("red", '"red"'), Variation("green", '"green"'))
    return Create(Flag(key, variations, "red", state=state))


@pytest.mark.parametrize(
    "more",
    [
        {"name": "Sales", "description": "What was sold", "unit": "USD", "maintainerId": "m"},
        {"isNumeric": True, "successCriteria": "LowerThanBaseline", "tags": ["a", "b"]},
        {"randomizationUnits": ["user", "org"], "analysisUnits": ["user"], "analysisType": "mean"},
        {"kind": "pageview", "urls": [{"kind": "exact", "url": "https://example.com"}, {}]},
        {"kind": "click", "selector": ".buy", "urls": [{"kind": "regex", "pattern": ".*"}]},
        {"kind": "trace", "traceQuery": "q", "traceValueLocation": "duration"},
        {"percentileValue": 95, "eventDefault": {"disabled": True}, "unitAggregationField": "f"},
        {"eventDefault": {"value": -0.5}, "winsorLowerPercentile": 1, "winsorIncludeImputed": True},
        {"dataSource": {"key": "warehouse", "environmentKey": "production"}, "valueColumn": "v"},
        {"windowStartOffset": -1000, "windowEndOffset": 2**40, "winsorUpperPercentile": 99.5},
        {"filters": {"type": "eventProperty", "op": "in", "values": ["a", 1], "negate": True}},
        {"denominator": {"eventName": "seen", "unitAggregationType": "sum", "isNumeric": True}},
    ],
)
def test_what_a_metric_says_is_given_back(api: Project, more: dict[str, Any]) -> None:
    made = api.post(METRICS, {**METRIC, **more})
    shown = api.get(f"{METRICS}/sales")
    assert made == shown
    assert {**METRIC, **more}.items() <= shown.items()
    assert api.get(METRICS)["items"] == [shown]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"key": "no key"}, "$.key"),
        ({"key": "\u0665"}, "$.key"),
        ({"kind": "standard"}, "$.kind"),
        ({"name": 5}, "$.name"),
        ({"tags": "shop"}, "$.tags"),
        ({"tags": [""]}, "$.tags[0]"),
        ({"isNumeric": "yes"}, "$.isNumeric"),
        ({"successCriteria": "Higher"}, "$.successCriteria"),
        ({"percentileValue": 101}, "$.percentileValue"),
        ({"windowEndOffset": 0.5}, "$.windowEndOffset"),
        ({"winsorLowerPercentile": "1"}, "$.winsorLowerPercentile"),
        ({"eventDefault": {"value": True}}, "$.eventDefault.value"),
        ({"dataSource": {}}, "$.dataSource.key"),
        ({"filters": {"type": "group", "op": "and", "negate": False}}, "$.filters.values"),
        ({"denominator": {"unitAggregationType": "max"}}, "$.denominator.unitAggregationType"),
        ({"urls": ["https://example.com"]}, "$.urls[0]"),
    ],
)
def test_a_metric_that_no_client_could_read_back_is_refused(
    api: Project, wrong: dict[str, Any], path: str
) -> None:
    answer = api.call("POST", METRICS, {**METRIC, **wrong})
    assert refusal(answer) == (400, "invalid_request")
    assert path in answer.json()["message"]
    assert api.get(METRICS)["items"] == []


def test_metrics_and_groups_are_the_projects_and_its_new_environments(api: Project) -> None:
    api.post(METRICS, METRIC)
    group = api.post(GROUPS, GROUP)
    api.node.store.create_space("default/another", who="test", when=datetime.now(UTC))
    api.run(api.node.catch_up())
    for space in (SPACE, STAGING, "default/another"):
        shown = api.done(api.call("GET", f"{GROUPS}/steps", allotment_space=space))
        assert shown == group
        listed = api.done(api.call("GET", METRICS, allotment_space=space))
        assert [one["key"] for one in listed["items"]] == ["sales"]


def test_what_is_there_is_not_created_again_and_what_is_deleted_is_gone(api: Project) -> None:
    for path, body in ((METRICS, METRIC), (GROUPS, GROUP)):
        api.post(path, body)
        assert api.refused("POST", path, body) == (409, "key_exists")
    assert api.get(f"{GROUPS}/steps")["metrics"][0]["name"] == "sales"
    for path in (f"{METRICS}/sales", f"{GROUPS}/steps"):
        api.delete(path)
        assert api.refused("GET", path) == (404, "not_found")
        assert api.refused("DELETE", path) == (404, "not_found")
    for space in (SPACE, STAGING):
        assert api.at(space).kept == ()


def test_metrics_are_listed_in_windows(api: Project) -> None:
    for number in range(5):
        api.post(METRICS, {**METRIC, "key": f"m{number}"})
    page = api.get(f"{METRICS}?limit=2&offset=2")
    assert [one["key"] for one in page["items"]] == ["m2", "m3"]
    assert page["totalCount"] == 5
    assert page["_links"]["next"]["href"] == f"/api/v2{METRICS}?limit=2&offset=4"
    assert api.refused("GET", f"{METRICS}?limit=0") == (400, "invalid_request")
    assert api.refused("GET", f"{METRICS}?sort=name") == (400, "invalid_request")


def test_a_flag_is_active_where_it_is_on(api: Project) -> None:
    for space, states in ((SPACE, ("on", "off", "archived")), (STAGING, ("off",))):
        for state in states:
            api.apply(flag(f"{state}-flag", FlagState(state)), space=space)
    statuses = "/flag-statuses/default/production"
    listed = api.get(statuses)["items"]
    assert [one["_links"]["self"]["href"] for one in listed] == [
        f"/api/v2{statuses}/off-flag",
        f"/api/v2{statuses}/on-flag",
    ]
    assert [one["name"] for one in listed] == ["inactive", "active"]
    assert api.get(f"{statuses}/archived-flag")["name"] == "inactive"
    api.apply(SwitchFlag("off-flag", FlagState.ON), space=STAGING)
    across = api.get("/flag-status/default/off-flag")
    found = {name: one["name"] for name, one in across["environments"].items()}
    assert found == {"production": "inactive", "staging": "active"}
    only = api.get("/flag-status/default/off-flag?env=staging")
    assert only["environments"] == {"staging": {"name": "active"}}
    assert api.refused("GET", "/flag-status/default/nothing") == (404, "not_found")


def test_the_environments_of_a_project_are_its_spaces(api: Project) -> None:
    listed = api.get(ENVIRONMENTS)
    assert [one["key"] for one in listed["items"]] == ["production", "staging"]
    assert listed["items"][1] == api.get(f"{ENVIRONMENTS}/staging")
    found = api.get(f"{ENVIRONMENTS}?filter=query:STAG")
    assert [one["key"] for one in found["items"]] == ["staging"]
    assert api.refused("GET", f"{ENVIRONMENTS}?filter=tags:a") == (400, "invalid_request")
    assert api.refused("GET", f"{ENVIRONMENTS}/nothing") == (404, "not_found")


def test_whoever_calls_is_told_the_space_that_is_meant(api: Project) -> None:
    caller = api.get("/caller-identity")
    assert (caller["projectName"], caller["environmentName"]) == ("default", "production")
    answer = api.call("GET", "/caller-identity", allotment_space=STAGING)
    assert api.done(answer)["environmentName"] == "staging"


@pytest.mark.parametrize(
    "path",
    ["", "/members", "/members/me", "/tags", "/segments/default/production", "/users", "/roles/a"],
)
def test_what_is_not_served_of_the_vendors_paths_is_its_own_404(api: Project, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert refusal(api.call(method, path)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/clients", "/users-by-email", "/token-exchange-profiles"])
def test_what_only_auth0_has_is_answered_as_auth0_does(api: Project, path: str) -> None:
    assert list(api.call("GET", path).json()) == ["statusCode", "error", "message", "errorCode"]


def test_the_primary_funnel_of_an_iteration_shows_the_metrics_of_its_group(api: Project) -> None:
    named = [{"key": "sales", "nameInGroup": "Step 1"}, {"key": "errors", "nameInGroup": "Step 2"}]
    counted = {"isNumeric": True, "unitAggregationType": "sum", "eventKey": "sold"}
    api.post(METRICS, {**METRIC, "name": "Sales", **counted})
    group = api.post(GROUPS, {**GROUP, "metrics": named})
    api.apply(flag("button"))
    base = "/projects/default/environments/production/experiments"
    for key in ("steps", "unknown"):
        more = {"primaryFunnelKey": key, "metrics": [{"key": key, "isGroup": True}]}
        draft = {name: one for name, one in iteration(**more).items() if "Single" not in name}
        api.post(base, {"key": f"of-{key}", "name": key.title(), "iteration": draft})
    shown = api.get(f"{base}/of-steps?expand=draftIteration")["draftIteration"]["primaryFunnel"]
    assert (shown["name"], shown["kind"]) == ("Steps", "funnel")
    assert shown["metrics"] == group["metrics"]
    assert [(one["name"], one["nameInGroup"]) for one in shown["metrics"]] == [
        ("Sales", "Step 1"),
        ("errors", "Step 2"),
    ]
    assert shown["metrics"][0].items() >= counted.items()
    assert not shown["metrics"][1].keys() & counted.keys(), "it was not created"
    shown = api.get(f"{base}/of-unknown?expand=draftIteration")["draftIteration"]["primaryFunnel"]
    assert shown["metrics"] == [], "a group that was not created has none that are known"
