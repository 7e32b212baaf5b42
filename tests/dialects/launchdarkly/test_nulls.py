"""Null in the place of a field that may be left out is as if it were left out; a text that has to
be there is not blank. The OpenAPI document says which fields these are."""

from typing import Any, get_args, get_type_hints

import pytest

from allotment.dialects.launchdarkly.experiments import create_experiment
from allotment.dialects.launchdarkly.flags import post_feature_flag
from allotment.dialects.launchdarkly.holdouts import post_holdout
from allotment.dialects.launchdarkly.iterations import create_iteration
from allotment.dialects.launchdarkly.layers import create_layer
from allotment.dialects.launchdarkly.metric_groups import create_metric_group
from allotment.dialects.launchdarkly.metrics import post_metric
from ldproject import iteration
from ldpure import Dialect
from tenant import SCHEMAS, is_valid

POSTS: list[tuple[Any, dict[str, Any]]] = [
    (create_experiment, {"key": "one", "name": "One", "iteration": iteration()}),
    (create_iteration, iteration()),
    (post_feature_flag, {"key": "one", "name": "One"}),
    (create_layer, {"key": "one", "name": "One", "description": "d"}),
    (post_holdout, {"key": "one", "holdoutamount": "5"}),
    (post_metric, {"key": "one", "kind": "custom"}),
    (
        create_metric_group,
        {"key": "one", "name": "One", "kind": "funnel", "metrics": [{"key": "sales"}]},
    ),
]
# One of these has to be there.
CHOSEN = {"primarySingleMetricKey"}


def begun() -> Dialect:
    made = Dialect()
    made.flag()
    made.experiment(iteration(), "there")
    return made


def name_of(value: Any) -> str | None:
    return value.__name__ if callable(value) else None


@pytest.mark.parametrize(("reader", "body"), POSTS, ids=name_of)
def test_null_is_as_if_a_field_were_left_out(reader: Any, body: dict[str, Any]) -> None:
    (model,) = get_args(get_type_hints(reader)["call"])
    schema = SCHEMAS[model.__name__]
    optional = {*schema["properties"]} - {*schema["required"]} - CHOSEN - {*body}
    assert len(optional) >= 1
    plain, nulls = begun(), begun()
    before = plain.catalog
    plain.do(reader, body, experimentKey="there")
    said = {**body, **dict.fromkeys(optional)}
    is_valid(said, schema)
    nulls.do(reader, said, experimentKey="there")
    assert plain.catalog == nulls.catalog != before


@pytest.mark.parametrize("blank", ["   ", "\t\r\n", "\ufeff", "\u2028\u3000"])
@pytest.mark.parametrize(
    ("reader", "body", "field"),
    [
        (reader, body, field)
        for reader, body in POSTS
        for field, value in body.items()
        if isinstance(value, str) and field not in ("hypothesis", "description")
    ],
    ids=name_of,
)
def test_a_text_that_has_to_be_there_is_not_blank(
    reader: Any, body: dict[str, Any], field: str, blank: str
) -> None:
    said = {**body, field: blank}
    assert begun().refuses(reader, said, experimentKey="there") == (400, "invalid_request")
