"""The native API keeps any JSON under a vendor's path. What does not have the form of the vendor's
field is left out, so that clients can read every answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Keep
from allotment.change.kinds import CATALOG
from ldwhole import STAGING, Project, project
from tenant import SPACE

FLAG = "/flags/default/button"
METRICS, GROUPS = "/metrics/default", "/projects/default/metric-groups"
FORMS = ("null", "true", "7", '"text"', "[]", "[7]", '["text"]', "{}", '{"a": 7}', '{"key": []}')


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        yield made


def keep(api: Project, kind: str, key: str, path: str, text: str) -> None:
    for space in (SPACE, STAGING):
        api.apply(Keep(kind, key, f"launchdarkly/{path}", text), space=space)


@pytest.mark.parametrize("text", FORMS)
def test_a_flag_is_shown_without_what_is_kept_in_another_form(api: Project, text: str) -> None:
    usual = api.flag()
    names = {
        *("tags", "temporary", "defaults", "maintainerId", "maintainerTeamKey", "purpose"),
        *("clientSideAvailability", "includeInSnippet", "customProperties"),
    }
    for name in names:
        keep(api, "flag", "button", name, text)
    shown = api.get(FLAG)  # which is as the OpenAPI document says, or this fails
    assert {*shown} - {*usual} <= names
    assert shown["defaults"] == {"onVariation": 1, "offVariation": 1}
    assert api.told(FLAG, {"kind": "addTags", "values": ["one"]})["tags"][-1] == "one"
    assert api.told(FLAG, "makeFlagPermanent")["temporary"] is False
    assert api.get("/flags/default?tag=one")["totalCount"] == 1


def test_what_is_kept_in_the_field_s_form_is_shown_whoever_kept_it(api: Project) -> None:
    api.flag()
    keep(api, "flag", "button", "tags", '["one"]')
    keep(api, "flag", "button", "purpose", "[]")
    shown = api.get(FLAG)
    assert shown["tags"] == ["one"]
    assert "purpose" not in shown


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize(
    ("path", "place", "body"),
    [
        ("metrics", METRICS, {"key": "sales", "kind": "custom"}),
        (
            *("metric-groups", GROUPS),
            {"key": "sales", "name": "S", "kind": "funnel", "metrics": [{"key": "a"}]},
        ),
    ],
)
def test_what_is_no_metric_is_not_there(
    api: Project, path: str, place: str, body: dict[str, Any], text: str
) -> None:
    keep(api, CATALOG, CATALOG, f"{path}/sales", text)
    assert api.refused("GET", f"{place}/sales") == (404, "not_found")
    assert api.refused("DELETE", f"{place}/sales") == (404, "not_found")
    assert (api.get(place)["items"], api.get(place)["totalCount"]) == ([], 0)
    assert api.post(place, body) == api.get(f"{place}/sales")


@pytest.mark.parametrize("text", FORMS)
def test_experiments_and_holdouts_are_shown_without_what_is_kept_in_another_form(
    api: Project, text: str
) -> None:
    api.production.flag()
    held = api.holdout()
    usual = api.production.experiment("one", holdoutId=held["_id"])
    names = {*("tags", "maintainerId", "methodology", "dataSource", "type", "analysisConfig")}
    for name in {*names, "iteration/1"}:
        api.apply(Keep("experiment", "one", f"launchdarkly/{name}", text))
    for name in ("maintainerId", "attributes", "metrics", "primarymetrickey"):
        api.apply(Keep("holdout", "quarter", f"launchdarkly/{name}", text))
    # Each answer is as the OpenAPI document says, or this fails.
    shown = api.production.shown("one")
    assert {*shown} <= {*usual}
    assert shown["draftIteration"]["flags"].keys() == {"button"}
    path = "/projects/default/environments/production/holdouts/quarter"
    detail = api.get(f"{path}?expand=draftIteration,secondaryMetrics")
    assert detail["baseExperiment"]["draftIteration"]["status"] == "not_started"
    assert api.production.get("/experiments?filter=metricKey:none")["total_count"] == 0
