"""Null in the place of a field that may be left out is as if it were left out; a text that has to
be there is not blank. The OpenAPI document says which fields these are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ldproject import iteration, refusal, treatment
from ldwhole import Project, project
from tenant import SCHEMAS

EXPERIMENTS = "/projects/default/environments/production/experiments"
TREATMENTS = [
    treatment("Control", "50", "red", baseline=True),
    treatment("Green", "50", "green"),
]
POSTS = {
    "ExperimentPost": (EXPERIMENTS, {"key": "one", "name": "One", "iteration": iteration()}),
    "IterationInput": (f"{EXPERIMENTS}/there/iterations", iteration(treatments=TREATMENTS)),
    "FlagPost": ("/flags/default", {"key": "one", "name": "One"}),
    "LayerPost": ("/projects/default/layers", {"key": "one", "name": "One", "description": "d"}),
    "HoldoutPost": (
        EXPERIMENTS.replace("experiments", "holdouts"),
        {"key": "one", "holdoutamount": "5"},
    ),
    "MetricPost": ("/metrics/default", {"key": "one", "kind": "custom"}),
    "MetricGroupPost": (
        "/projects/default/metric-groups",
        {"key": "one", "name": "One", "kind": "funnel", "metrics": [{"key": "sales"}]},
    ),
}
# One of these has to be there.
CHOSEN = {"primarySingleMetricKey"}
# What differs from one time to the next.
MOMENTS = {"createdAt", "updatedAt", "creationDate", "_creationDate", "lastModified"}
MOMENTS |= {"_lastModified", "_version", "version", "startedAt"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        made.production.flag()
        made.production.experiment("there")
        yield made


def bare(tree: Any) -> Any:
    """What is shown, but for what another moment changes."""
    if isinstance(tree, list):
        return [bare(each) for each in tree]
    if isinstance(tree, dict):
        return {name: bare(each) for name, each in tree.items() if name not in MOMENTS}
    return tree


@pytest.mark.parametrize("name", POSTS)
def test_null_is_as_if_a_field_were_left_out(api: Project, tmp_path: Path, name: str) -> None:
    path, body = POSTS[name]
    schema = SCHEMAS.get(f"LD{name}") or SCHEMAS[f"launchdarkly.{name}"]
    optional = {*schema["properties"]} - {*schema["required"]} - CHOSEN - {*body}
    assert len(optional) >= 1
    plain = bare(api.post(path, body))
    (tmp_path / "other").mkdir()
    with project(tmp_path / "other") as other:
        other.production.flag()
        other.production.experiment("there")
        assert bare(other.post(path, {**body, **dict.fromkeys(optional)})) == plain


@pytest.mark.parametrize("blank", ["   ", "\t\r\n", "\ufeff", "\u2028\u3000"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        (name, field)
        for name, (_, body) in POSTS.items()
        for field, value in body.items()
        if isinstance(value, str) and field not in ("hypothesis", "description")
    ],
)
def test_a_text_that_has_to_be_there_is_not_blank(
    api: Project, name: str, field: str, blank: str
) -> None:
    path, body = POSTS[name]
    answer = api.call("POST", path, {**body, field: blank})
    assert refusal(answer) == (400, "invalid_request")
