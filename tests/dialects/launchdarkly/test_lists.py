"""Lists of experiments: filters, windows, and all environments of a project."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from allotment.dialects.launchdarkly.experiment_views import get_experiment, get_experiments
from allotment.dialects.launchdarkly.ids import id_of
from allotment.server.settings import Settings
from ldproject import BASE, Environment, environment, iteration, treatment
from ldpure import Dialect

INVALID = (400, "invalid_request")


def fill(api: Dialect) -> None:
    """Of each status one, and one of another flag."""
    api.flag()
    api.flag("banner")
    api.experiment(iteration(primarySingleMetricKey="clicks"), "draft")
    for key in ("running", "stopped", "archived"):
        api.experiment(iteration(), key)
        api.instruct(key, "startIteration")
    for key in ("stopped", "archived"):
        winner = id_of("treatment", key, "1", "control")
        api.instruct(key, {"kind": "stopIteration", "winningTreatmentId": winner})
    api.instruct("archived", "archiveExperiment")
    treatments = [
        treatment(name, "50", value, "banner") for name, value in (("A", "red"), ("B", "green"))
    ]
    flags = {"banner": {"ruleId": "fallthrough", "flagConfigVersion": 1}}
    other = iteration(treatments=treatments, flags=flags, metrics=[{"key": "views"}])
    api.experiment(other, "other")


@pytest.fixture(scope="module")
def many() -> Dialect:
    made = Dialect()
    fill(made)
    return made


def listed(dialect: Dialect, query: str) -> list[str]:
    """The keys that the list of experiments has, without a server."""
    shown = dialect.list(get_experiments, **dict(parse_qsl(query.removeprefix("?"))))
    return [one["key"] for one in shown["items"]]


def keys(api: Environment, query: str = "") -> list[str]:
    return [one["key"] for one in api.get(f"/experiments{query}")["items"]]


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
def test_what_is_listed(many: Dialect, query: str, wanted: list[str]) -> None:
    assert listed(many, query) == wanted


def test_an_iteration_to_come_counts_for_its_status() -> None:
    dialect = Dialect()
    fill(dialect)
    dialect.draft(iteration(), "running")
    assert "running" in listed(dialect, "?filter=status:not_started")
    assert "running" in listed(dialect, "?filter=status:running")


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


def test_whoever_follows_next_sees_all_and_prev_leads_back(many: Dialect) -> None:
    query = {"limit": "2", "lifecycleState": "active,archived", "expand": "treatments"}
    seen = []
    while True:
        page = many.list(get_experiments, **query)
        seen.extend(one["key"] for one in page["items"])
        links = {name: link["href"].split("?") for name, link in page["_links"].items()}
        assert page["total_count"] == 5
        assert {path for path, _ in links.values()} == {f"{BASE}/experiments"}
        assert page["items"][0]["_links"]["self"]["href"].startswith(f"{BASE}/experiments/")
        if "next" not in links:
            break
        query = dict(parse_qsl(links["next"][1]))
    assert seen == ["archived", "draft", "other", "running", "stopped"]
    assert listed(many, links["first"][1])[0] == "archived"
    assert listed(many, links["prev"][1])[1] == "running"


def test_each_part_is_shown_where_it_is_asked_for() -> None:
    dialect = Dialect()
    dialect.flag()
    dialect.experiment(iteration(), analysisConfig={"significanceThreshold": "0.05"})
    dialect.instruct("colour", "startIteration")
    dialect.draft(iteration())
    dialect.instruct("colour", {"kind": "startIteration", "changeJustification": "x"})
    dialect.draft(iteration())

    def shown(**query: str) -> Any:
        return dialect.show(get_experiment, "experiment", "colour", **query)

    plain = shown()
    for name in ("previousIterations", "draftIteration", "analysisConfig", "mutableFieldsByStatus"):
        assert shown(expand=name).keys() - plain.keys() == {name}
    for name in ("treatments", "secondaryMetrics"):
        current = shown(expand=name)["currentIteration"]
        assert name in current.keys() - plain["currentIteration"].keys()
    assert plain["currentIteration"]["primaryMetric"]["key"] == "sales"


def test_a_server_lists_what_the_filters_of_a_query_want(flagged: Environment) -> None:
    flagged.experiment("draft")
    flagged.running("running")
    assert keys(flagged) == ["draft", "running"]
    page = flagged.get("/experiments?limit=1&expand=treatments&filter=status:running")
    assert [one["key"] for one in page["items"]] == ["running"]
    assert flagged.get(page["_links"]["self"]["href"].removeprefix(BASE)) == page


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
