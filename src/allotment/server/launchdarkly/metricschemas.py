"""The schemas of metrics and metric groups in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.metrics_kept import (
    AGGREGATIONS,
    ANALYSES,
    CRITERIA,
    FILTERS,
    GROUP_KINDS,
    ITEMS_MAX,
    KINDS,
    TEXT_MAX,
)
from allotment.model.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from allotment.server.launchdarkly.operation import KEY
from allotment.server.launchdarkly.schemas import define, enum, listed, open_object, ref
from allotment.server.operation import closed

_TEXT: Final = {"type": "string", "maxLength": TEXT_MAX}
_NAME: Final = {"type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS_MAX}
_LONG: Final = {"type": "string", "maxLength": TEXT_CHARACTERS_MAX}
_TRUTH: Final = {"type": "boolean"}
_INT: Final = {"type": "integer"}
_NUMBER: Final = {"type": "number"}
_WORDS: Final = listed({**_TEXT, "minLength": 1}, maxItems=ITEMS_MAX)

_SOURCE: Final = {
    "key": _TEXT,
    "environmentKey": _TEXT,
    "_name": _TEXT,
    "_integrationKey": _TEXT,
}
_FILTER: Final = {
    "type": enum(*FILTERS),
    "op": _TEXT,
    "values": listed({}, maxItems=ITEMS_MAX),
    "negate": _TRUTH,
    "attribute": _TEXT,
    "contextKind": _TEXT,
}
_MEASURED: Final = {
    "isNumeric": _TRUTH,
    "dataSource": open_object(_SOURCE, *[name for name in _SOURCE if name != "key"]),
    "unitAggregationType": enum(*AGGREGATIONS),
    "unitAggregationField": _TEXT,
    "valueColumn": _TEXT,
    "filters": open_object(_FILTER, "attribute", "contextKind"),
    "windowStartOffset": _INT,
    "windowEndOffset": _INT,
    "winsorLowerPercentile": _NUMBER,
    "winsorUpperPercentile": _NUMBER,
    "winsorIncludeImputed": _TRUTH,
}
_URL: Final = dict.fromkeys(("kind", "url", "substring", "pattern"), _TEXT)
_DEFAULT: Final = {"disabled": _TRUTH, "value": _NUMBER}
_DIVIDED: Final = {**_MEASURED, "eventName": _TEXT}
_METRIC: Final = {
    **_MEASURED,
    "description": _LONG,
    "selector": _TEXT,
    "urls": listed(open_object(_URL, *_URL), maxItems=ITEMS_MAX),
    "unit": _TEXT,
    "eventKey": _TEXT,
    "successCriteria": enum(*CRITERIA),
    "tags": _WORDS,
    "randomizationUnits": _WORDS,
    "analysisUnits": _WORDS,
    "maintainerId": _TEXT,
    "analysisType": enum(*ANALYSES),
    "percentileValue": {**_INT, "minimum": 0, "maximum": 100},
    "eventDefault": open_object(_DEFAULT, *_DEFAULT),
    "traceQuery": _TEXT,
    "traceValueLocation": _TEXT,
    "denominator": open_object(_DIVIDED, *_DIVIDED),
}
_ALWAYS: Final = ("description", "tags", "isNumeric", "dataSource")
_WITHIN: Final = {"key": KEY, "nameInGroup": _TEXT}

define(
    {
        "MetricPost": open_object(
            {"key": KEY, "kind": enum(*KINDS), "name": _NAME, **_METRIC}, "name", *_METRIC
        ),
        "KeptMetric": closed(
            {
                "_id": _TEXT,
                "_versionId": _TEXT,
                "key": _TEXT,
                "name": _TEXT,
                "kind": enum(*KINDS),
                "_attachedFlagCount": _INT,
                "_creationDate": _INT,
                "_links": ref("Links"),
                **_METRIC,
            },
            *(name for name in _METRIC if name not in _ALWAYS),
        ),
        "KeptMetrics": closed(
            {"items": listed(ref("KeptMetric")), "totalCount": _INT, "_links": ref("Links")}
        ),
        "MetricGroupPost": open_object(
            {
                "key": KEY,
                "name": _NAME,
                "kind": enum(*GROUP_KINDS),
                "metrics": listed(
                    open_object(_WITHIN, "nameInGroup"), minItems=1, maxItems=ITEMS_MAX
                ),
                "description": _LONG,
                "maintainerId": {**_TEXT, "minLength": 1},
                "tags": _WORDS,
            },
            *("description", "maintainerId", "tags"),
        ),
        "MetricGroup": closed(
            {
                "_id": _TEXT,
                "key": _TEXT,
                "name": _TEXT,
                "kind": enum(*GROUP_KINDS),
                "description": _LONG,
                "tags": _WORDS,
                "_creationDate": _INT,
                "_lastModified": _INT,
                "_version": _INT,
                "maintainer": closed({"key": _TEXT, "kind": enum("member", "team")}),
                "metrics": listed(ref("MetricInGroup")),
                "_links": ref("Links"),
            }
        ),
        "MetricInGroup": closed(
            {
                "key": _TEXT,
                "_versionId": _TEXT,
                "name": _TEXT,
                "kind": enum(*KINDS),
                "nameInGroup": _TEXT,
                "_links": ref("Links"),
            },
            "nameInGroup",
        ),
        "MetricGroups": closed(
            {"items": listed(ref("MetricGroup")), "totalCount": _INT, "_links": ref("Links")}
        ),
    }
)
