"""The native API keeps any JSON under a vendor's path. What does not have the form of the vendor's
field is left out, so that clients can read every answer."""

from typing import Any

import pytest

from allotment.change.commands import Keep
from allotment.change.kinds import CATALOG
from allotment.change.lifecycle import Policy
from allotment.dialects.launchdarkly import experiment_views, flag_views, metrics
from allotment.dialects.launchdarkly import metric_groups as groups
from allotment.dialects.launchdarkly.flag_patch import patch_feature_flag
from allotment.dialects.launchdarkly.holdout_views import get_holdout
from allotment.dialects.launchdarkly.holdouts import post_holdout
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.wire.model import Refusal
from ldproject import iteration
from ldpure import Dialect

FORMS = ("null", "true", "7", '"text"', "[]", "[7]", '["text"]', "{}", '{"a": 7}', '{"key": []}')


@pytest.fixture
def dialect() -> Dialect:
    made = Dialect()
    made.flag()
    return made


def keep(dialect: Dialect, kind: str, key: str, path: str, text: str) -> None:
    dialect.apply([Keep(kind, key, f"launchdarkly/{path}", text)], Policy.NATIVE)


def flag_of(dialect: Dialect) -> Any:
    """What is shown has the forms of the answer's model, or this fails."""
    return dialect.show(flag_views.get_feature_flag, "flag", "button")


def told(dialect: Dialect, step: dict[str, Any]) -> Any:
    dialect.do(patch_feature_flag, {"instructions": [step]}, flagKey="button")
    return flag_of(dialect)


@pytest.mark.parametrize("text", FORMS)
def test_a_flag_is_shown_without_what_is_kept_in_another_form(dialect: Dialect, text: str) -> None:
    usual = flag_of(dialect)
    names = {
        *("tags", "temporary", "defaults", "maintainerId", "maintainerTeamKey", "purpose"),
        *("clientSideAvailability", "includeInSnippet", "customProperties"),
    }
    for name in names:
        keep(dialect, "flag", "button", name, text)
    shown = flag_of(dialect)
    assert {*shown} - {*usual} <= names
    assert shown["defaults"] == {"onVariation": 0, "offVariation": 0}
    assert told(dialect, {"kind": "addTags", "values": ["one"]})["tags"][-1] == "one"
    assert told(dialect, {"kind": "makeFlagPermanent"})["temporary"] is False
    assert dialect.list(flag_views.get_feature_flags, tag="one")["totalCount"] == 1


def test_what_is_kept_in_the_field_s_form_is_shown_whoever_kept_it(dialect: Dialect) -> None:
    keep(dialect, "flag", "button", "tags", '["one"]')
    keep(dialect, "flag", "button", "purpose", "[]")
    shown = flag_of(dialect)
    assert shown["tags"] == ["one"]
    assert "purpose" not in shown


METRIC = (
    *("metrics", metrics.post_metric, metrics.delete_metric, metrics.get_metric),
    *(metrics.get_metrics, {"key": "sales", "kind": "custom"}),
)
GROUP = (
    *("metric-groups", groups.create_metric_group, groups.delete_metric_group),
    *(groups.get_metric_group, groups.get_metric_groups),
    {"key": "sales", "name": "S", "kind": "funnel", "metrics": [{"key": "a"}]},
)


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("operations", [METRIC, GROUP])
def test_what_is_no_metric_is_not_there(dialect: Dialect, operations: Any, text: str) -> None:
    path, post, delete, get, everything, body = operations
    keep(dialect, CATALOG, CATALOG, f"{path}/sales", text)
    with pytest.raises(Refusal) as refused:
        dialect.show(get, path, "sales")
    assert refused.value.status_hint == 404
    with pytest.raises(Refusal) as refused:
        dialect.do(delete, metricKey="sales", metricGroupKey="sales")
    assert refused.value.status_hint == 404
    found = dialect.list(everything)
    assert (found["items"], found["totalCount"]) == ([], 0)
    dialect.do(post, body)
    assert dialect.list(everything)["items"] == [dialect.show(get, path, "sales")]


@pytest.mark.parametrize("text", FORMS)
def test_experiments_and_holdouts_are_shown_without_what_is_kept_in_another_form(
    dialect: Dialect, text: str
) -> None:
    dialect.do(post_holdout, {"key": "quarter", "holdoutamount": "10"})
    dialect.experiment(iteration(), "one", holdoutId=id_of("holdout", "quarter"))

    def shown() -> Any:
        return dialect.show(experiment_views.show_changed, "experiment", "one")

    usual = shown()
    names = {*("tags", "maintainerId", "methodology", "dataSource", "type", "analysisConfig")}
    for name in {*names, "iteration/1"}:
        keep(dialect, "experiment", "one", name, text)
    for name in ("maintainerId", "attributes", "metrics", "primarymetrickey"):
        keep(dialect, "holdout", "quarter", name, text)
    # Each answer has the forms of its model, or this fails.
    assert {*shown()} <= {*usual}
    assert shown()["draftIteration"]["flags"].keys() == {"button"}
    expand = "draftIteration,secondaryMetrics"
    detail = dialect.show(get_holdout, "holdout", "quarter", expand=expand)
    assert detail["baseExperiment"]["draftIteration"]["status"] == "not_started"
    found = dialect.list(experiment_views.get_experiments, filter="metricKey:none")
    assert found["total_count"] == 0
