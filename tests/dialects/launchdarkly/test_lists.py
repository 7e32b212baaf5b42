"""Lists of experiments: filters, windows, and all environments of a project."""

from pathlib import Path
from typing import Any

import pytest

from allotment.server.settings import Settings
from ldproject import BASE, Environment, environment, iteration, variation

INVALID = (400, "invalid_request")


def keys(api: Environment, query: str = "") -> list[str]:
    return [one["key"] for one in api.get(f"/experiments{query}")["items"]]


@pytest.fixture
def many(flagged: Environment) -> Environment:
    """Of each status one, and one of another flag."""
    flagged.flag("banner")
    flagged.experiment("draft", primarySingleMetricKey="clicks")
    flagged.running("running")
    flagged.stopped("stopped")
    flagged.stopped("archived")
    flagged.told("archived", "archiveExperiment")
    treatments = [
        {**one, "parameters": [{**one["parameters"][0], "flagKey": "banner"}]}
        for one in iteration()["treatments"]
    ]
    for one, value in zip(treatments, ("red", "green"), strict=True):
        one["parameters"][0]["variationId"] = variation(value, "banner")
    flags = {"banner": {"ruleId": "fallthrough", "flagConfigVersion": 1}}
    flagged.experiment("other", treatments=treatments, flags=flags, metrics=[{"key": "views"}])
    return flagged


FILTERS: list[tuple[str, list[str]]] = [
    ("", ["draft", "other", "running", "stopped"]),
    ("?lifecycleState=archived", ["archived"]),
    ("?lifecycleState=archived,active", ["archived", "draft", "other", "running", "stopped"]),
    ("?filter=flagKey:banner", ["other"]),
    ("?filter=flagKey:nothing", []),
    ("?filter=status:not_started", ["draft", "other"]),
    ("?filter=status:running", ["running"]),
    ("?filter=status:stopped&lifecycleState=active,archived", ["archived", "stopped"]),
    ("?filter=metricKey:clicks", ["draft"]),
    ("?filter=metricKey:views", ["other"]),
    ("?filter=metricKey:errors,status:running,flagKey:button", ["running"]),
    ("?filter=status:running,status:stopped", []),
    ("?limit=2", ["draft", "other"]),
    ("?limit=2&offset=3", ["stopped"]),
    ("?offset=4", []),
]


@pytest.mark.parametrize(("query", "wanted"), FILTERS)
def test_what_is_listed(many: Environment, query: str, wanted: list[str]) -> None:
    assert keys(many, query) == wanted


def test_an_iteration_to_come_counts_for_its_status(many: Environment) -> None:
    many.post("/experiments/running/iterations", iteration())
    assert "running" in keys(many, "?filter=status:not_started")
    assert "running" in keys(many, "?filter=status:running")


@pytest.mark.parametrize(
    "query",
    [
        *("?limit=0", "?limit=1001", "?limit=x", "?offset=-1", "?limit=", "?limit=%D9%A1"),
        *("?filter=key:x", "?filter=status", "?filter=status:paused", "?sort=name"),
        *("?lifecycleState=gone", "?expand=everything", "?limit=1&limit=2"),
    ],
)
def test_queries_that_mean_nothing(flagged: Environment, query: str) -> None:
    assert flagged.refused("GET", f"/experiments{query}") == INVALID
    if "expand" in query or "sort" in query:
        flagged.experiment()
        assert flagged.refused("GET", f"/experiments/colour{query}") == INVALID


def test_whoever_follows_next_sees_all_and_prev_leads_back(many: Environment) -> None:
    path, seen = "/experiments?limit=2&lifecycleState=active,archived&expand=treatments", []
    while True:
        page = many.get(path)
        seen.extend(one["key"] for one in page["items"])
        links = page["_links"]
        assert page["total_count"] == 5
        assert page["items"][0]["_links"]["self"]["href"].startswith("/api/v2/projects/default/")
        if "next" not in links:
            break
        path = links["next"]["href"].removeprefix(BASE)
    assert seen == ["archived", "draft", "other", "running", "stopped"]
    assert many.get(links["first"]["href"].removeprefix(BASE))["items"][0]["key"] == "archived"
    assert many.get(links["prev"]["href"].removeprefix(BASE))["items"][1]["key"] == "running"


def test_each_part_is_shown_where_it_is_asked_for(flagged: Environment) -> None:
    flagged.running(analysisConfig={"significanceThreshold": "0.05"})
    flagged.post("/experiments/colour/iterations", iteration())
    flagged.told("colour", {"kind": "startIteration", "changeJustification": "x"})
    flagged.post("/experiments/colour/iterations", iteration())
    plain = flagged.get("/experiments/colour")
    for name in ("previousIterations", "draftIteration", "analysisConfig", "mutableFieldsByStatus"):
        shown = flagged.get(f"/experiments/colour?expand={name}")
        assert shown.keys() - plain.keys() == {name}
    for name in ("treatments", "secondaryMetrics"):
        shown = flagged.get(f"/experiments/colour?expand={name}")["currentIteration"]
        assert name in shown.keys() - plain["currentIteration"].keys()
    assert plain["currentIteration"]["primaryMetric"]["key"] == "sales"


def test_the_environments_of_a_project_are_listed_together(flagged: Environment) -> None:
    flagged.base = ""
    flagged.post("/v1/spaces", {"name": "default/staging"})
    flagged.post("/v1/spaces", {"name": "other/staging"})
    flagged.base = BASE
    flagged.experiment("colour")
    flagged.experiment("shade")
    flagged.base = BASE.replace("production", "staging")
    flagged.experiment("colour")
    assert keys(flagged) == ["colour"]
    flagged.base = "/api/v2/projects/default"
    found: Any = flagged.get("/experiments?expand=treatments")
    assert [(one["key"], one["environmentKey"]) for one in found["items"]] == [
        ("colour", "production"),
        ("colour", "staging"),
        ("shade", "production"),
    ]
    assert found["total_count"] == 3
    assert found["_links"]["self"]["href"].startswith("/api/v2/projects/default/experiments?")
    flagged.base = "/api/v2/projects/other"
    assert keys(flagged) == []
    flagged.base = "/api/v2/projects/none"
    assert flagged.refused("GET", "/experiments") == (404, "not_found")


def test_a_lenient_server_takes_patches_that_do_not_say_what_they_are(tmp_path: Path) -> None:
    body = b'{"comment": "c", "instructions": [{"kind": "updateName", "value": "New"}]}'
    with environment(tmp_path, Settings(launchdarkly_lenient=True)) as api:
        api.flag()
        api.experiment()
        answer = api.send("PATCH", "/experiments/colour", body, content_type="application/json")
        assert api.done(answer)["name"] == "New"
        json_patch = b'[{"op": "replace", "path": "/name", "value": "x"}]'
        answer = api.send("PATCH", "/experiments/colour", json_patch)
        assert answer.status_code == 422
