"""Walk what scripts call before an experiment, and every other path, with the real client.

    python launchdarkly_before_probe.py http://127.0.0.1:8080 --token T [--project P] [--env E]

It needs launchdarkly-api alone. What the client reads it also checks: a field that is missing or of
another type is an error. The paths of the last step are those that the client itself knows.
"""

import inspect
import json
import pkgutil
import re
import sys
from importlib import import_module
from typing import Any

import launchdarkly_api as ld
import launchdarkly_api.api
import urllib3
from walking import ASKED, CLIENT, EXPERIMENTS, FLAGS, E, P, key, refused, step, walk

METRICS = ld.MetricsApi(CLIENT)
GROUPS = ld.MetricsBetaApi(CLIENT)
ENVIRONMENTS = ld.EnvironmentsApi(CLIENT)
OTHER = ld.OtherApi(CLIENT)
POOL = urllib3.PoolManager()

SALES, CLICKS, STEPS, FLAG = key("sales"), key("clicks"), key("steps"), key("button")


def metric(word: str, **more: Any) -> Any:
    post = ld.MetricPost(key=word, kind="custom", event_key="bought", **more)
    answer = METRICS.post_metric_with_http_info(P, post)
    assert answer.status_code == 201
    return answer.data


@step
def a_metric_is_created_with_201_and_given_back_as_it_was_sent() -> None:
    said = {
        "name": "Sales",
        "description": "What was sold",
        "is_numeric": True,
        "unit": "USD",
        "success_criteria": "HigherThanBaseline",
        "tags": ["shop"],
        "randomization_units": ["user"],
        "unit_aggregation_type": "sum",
        "analysis_type": "mean",
        "event_default": ld.MetricEventDefaultRep(disabled=False, value=0.5),
        "filters": ld.EventFilter(type="group", op="and", values=[1], negate=False),
        "winsor_upper_percentile": 99.5,
        "denominator": ld.DenominatorPost(event_name="seen", is_numeric=False),
    }
    made = metric(SALES, **said)
    shown = METRICS.get_metric(P, SALES)
    for name, value in said.items():
        found = getattr(shown, name)
        sent = value.to_dict() if hasattr(value, "to_dict") else value
        assert (found.to_dict() if hasattr(found, "to_dict") else found) == sent, name
    assert (made.id, made.key, made.kind) == (shown.id, SALES, "custom")
    assert shown.event_key == "bought"
    with refused(409, "key_exists"):
        metric(SALES)


@step
def a_metric_of_a_key_alone_is_enough_and_bad_ones_are_refused() -> None:
    assert metric(CLICKS).name == CLICKS
    with refused(400, "invalid_request"):
        metric("not a key")
    with refused(404, "not_found"):
        METRICS.get_metric(P, key("nothing"))


@step
def metrics_are_listed() -> None:
    keys = [one.key for one in METRICS.get_metrics(P, limit=1000).items]
    assert keys == sorted(keys)
    assert {SALES, CLICKS} <= {*keys}
    page = METRICS.get_metrics(P, limit=1, offset=1)
    assert ([one.key for one in page.items], page.total_count) == (keys[1:2], len(keys))


@step
def a_group_is_created_with_201_shown_and_listed() -> None:
    within = [
        ld.MetricInMetricGroupInput(key=SALES, name_in_group="first"),
        ld.MetricInMetricGroupInput(key=CLICKS, name_in_group="second"),
    ]
    post = ld.MetricGroupPost(
        key=STEPS, name="Steps", kind="funnel", maintainer_id="m", tags=["t"], metrics=within
    )
    answer = GROUPS.create_metric_group_with_http_info(P, post)
    assert answer.status_code == 201
    shown = GROUPS.get_metric_group(P, STEPS)
    assert shown == answer.data
    assert [(one.key, one.name, one.name_in_group) for one in shown.metrics] == [
        (SALES, "Sales", "first"),
        (CLICKS, CLICKS, "second"),
    ]
    assert STEPS in [one.key for one in GROUPS.get_metric_groups(P, limit=1000).items]
    with refused(409, "key_exists"):
        GROUPS.create_metric_group(P, post)
    with refused(404, "not_found"):
        GROUPS.get_metric_group(P, key("nothing"))


@step
def an_experiment_shows_its_metrics_by_their_names() -> None:
    variations = [ld.Variation(value=each, name=each) for each in ("red", "green")]
    flag = FLAGS.post_feature_flag(
        P, ld.FeatureFlagBody(name="Button", key=FLAG, variations=variations)
    )
    treatments = [
        ld.TreatmentInput(
            name=one.value,
            baseline=one.value == "red",
            allocation_percent="50",
            parameters=[ld.TreatmentParameterInput(flag_key=FLAG, variation_id=one.id)],
        )
        for one in flag.variations
    ]
    iteration = ld.IterationInput(
        hypothesis="h",
        metrics=[ld.MetricInput(key=SALES), ld.MetricInput(key=STEPS, is_group=True)],
        primary_single_metric_key=SALES,
        treatments=treatments,
        flags={FLAG: ld.FlagInput(rule_id="fallthrough", flag_config_version=1)},
    )
    post = ld.ExperimentPost(key=key("colour"), name="Colour", iteration=iteration)
    draft = EXPERIMENTS.create_experiment(P, E, post).draft_iteration
    shown = [(one.key, one.name, one.kind) for one in draft.metrics]
    assert shown == [(SALES, "Sales", "custom"), (STEPS, "Steps", "funnel")]
    assert draft.primary_single_metric.name == "Sales"


@step
def what_was_created_is_deleted() -> None:
    assert GROUPS.delete_metric_group_with_http_info(P, STEPS).status_code == 204
    assert METRICS.delete_metric_with_http_info(P, SALES).status_code == 204
    with refused(404, "not_found"):
        METRICS.get_metric(P, SALES)
    with refused(404, "not_found"):
        GROUPS.delete_metric_group(P, STEPS)
    assert EXPERIMENTS.get_experiment(P, E, key("colour"), expand="draftIteration")


@step
def environments_are_listed_and_shown() -> None:
    keys = [one.key for one in ENVIRONMENTS.get_environments_by_project(P).items]
    assert E in keys
    found = ENVIRONMENTS.get_environments_by_project(P, filter=f"query:{E}", limit=1)
    assert [one.key for one in found.items] == [E]
    assert ENVIRONMENTS.get_environment(P, E).key == E
    with refused(404, "not_found"):
        ENVIRONMENTS.get_environment(P, key("nothing"))


@step
def the_status_of_a_flag_follows_its_switch() -> None:
    def now() -> str:
        one = FLAGS.get_feature_flag_status(P, E, FLAG).name
        across = FLAGS.get_feature_flag_status_across_environments(P, FLAG, env=E)
        listed = FLAGS.get_feature_flag_statuses(P, E).items
        (found,) = (each for each in listed if each.links["self"].href.endswith(f"/{FLAG}"))
        assert {one, across.environments[E].name, found.name} == {one}
        return one

    assert now() == "inactive"
    on = ld.PatchWithComment(
        patch=[ld.PatchOperation(op="replace", path=f"/environments/{E}/on", value=True)]
    )
    FLAGS.patch_feature_flag(P, FLAG, on)
    assert now() == "active"
    with refused(404, "not_found"):
        FLAGS.get_feature_flag_status(P, E, key("nothing"))


@step
def the_caller_is_known() -> None:
    caller = OTHER.get_caller_identity()
    assert caller.token_id
    assert (caller.project_name, caller.environment_name) == (P, E)


@step
def every_path_that_the_client_knows_answers_as_the_vendor_does() -> None:
    modules = [
        import_module(f"launchdarkly_api.api.{each.name}")
        for each in pkgutil.iter_modules(launchdarkly_api.api.__path__)
    ]
    calls = {
        (method, path)
        for each in modules
        for method, path in re.findall(
            r"method='([A-Z]+)',\s+resource_path='([^']+)'", inspect.getsource(each)
        )
    }
    assert len(calls) > 350
    wrong = []
    for method, path in sorted(calls):
        named = path.format_map({"projectKey": P, "environmentKey": E} | _Nothing())
        headers = {"authorization": ASKED.token}
        answer = POOL.request(method, f"{ASKED.url}{named}", headers=headers)
        body = json.loads(answer.data) if answer.data else {}
        error = answer.status >= 400
        if error and list(body) != ["code", "message", "id"]:
            wrong.append((method, path, answer.status, [*body]))
    assert wrong == []


class _Nothing(dict[str, str]):
    """Names nothing that is there."""

    def __missing__(self, name: str) -> str:
        return f"nothing-{name}"

    def __ror__(self, known: dict[str, str]) -> "_Nothing":
        return _Nothing(known)


if __name__ == "__main__":
    sys.exit(walk())
