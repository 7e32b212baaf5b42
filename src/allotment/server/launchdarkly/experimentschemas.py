"""The schemas of experiments and iterations in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.experiments import (
    CORRECTIONS,
    METHODOLOGIES,
    SCOPES,
    SOURCES,
    TYPES,
)
from allotment.dialects.launchdarkly.metrics import METRICS_MAX, TEXT_MAX
from allotment.dialects.launchdarkly.patch import INSTRUCTIONS_MAX
from allotment.model.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from allotment.model.number import DECIMAL
from allotment.server.launchdarkly.operation import KEY
from allotment.server.launchdarkly.schemas import (
    Schema,
    define,
    enum,
    listed,
    mapped,
    open_object,
    ref,
)

_ANY: Final[Schema] = {"type": "string"}
_WORD: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": TEXT_MAX}
_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS_MAX}
_TEXT: Final[Schema] = {"type": "string", "maxLength": TEXT_CHARACTERS_MAX}
_TRUTH: Final[Schema] = {"type": "boolean"}
_INT: Final[Schema] = {"type": "integer"}
_ID: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{24}$"}
_MOMENT: Final[Schema] = {"type": "integer", "description": "Milliseconds since 1970, UTC."}
_PERCENT: Final[Schema] = {
    "type": "string",
    "pattern": f"^{DECIMAL}$",
    "description": "A percentage as text; together at most 100.",
}

_ANALYSIS: Final = {
    "bayesianThreshold": _ANY,
    "significanceThreshold": _ANY,
    "testDirection": _ANY,
    "multipleComparisonCorrectionMethod": enum(*CORRECTIONS),
    "multipleComparisonCorrectionScope": enum(*SCOPES),
    "sequentialTestingEnabled": _TRUTH,
}
_INPUTS: Final[Schema] = {
    "MetricInput": open_object(
        {"key": _WORD, "isGroup": _TRUTH, "primary": _TRUTH, "analysisUnit": _WORD},
        *("isGroup", "primary", "analysisUnit"),
    ),
    "TreatmentInput": open_object(
        {
            "name": _NAME,
            "baseline": _TRUTH,
            "allocationPercent": _PERCENT,
            "parameters": listed(open_object({"flagKey": _WORD, "variationId": _WORD})),
        }
    ),
    "FlagInput": open_object(
        {
            "ruleId": _WORD,
            "flagConfigVersion": {"type": "integer", "minimum": 0},
            "notInExperimentVariationId": _WORD,
        },
        "notInExperimentVariationId",
    ),
    "IterationInput": open_object(
        {
            "hypothesis": _TEXT,
            "metrics": listed(ref("MetricInput"), maxItems=METRICS_MAX),
            "treatments": listed(ref("TreatmentInput")),
            "flags": mapped(ref("FlagInput")),
            "canReshuffleTraffic": _TRUTH,
            "primarySingleMetricKey": _WORD,
            "primaryFunnelKey": _WORD,
            "randomizationUnit": KEY,
            "reallocationFrequencyMillis": {"type": "integer", "minimum": 1},
            "covariateId": _WORD,
            "attributes": listed(_WORD),
        },
        *("canReshuffleTraffic", "primarySingleMetricKey", "primaryFunnelKey"),
        *("randomizationUnit", "reallocationFrequencyMillis", "covariateId", "attributes"),
        description="One of primarySingleMetricKey and primaryFunnelKey is there.",
    ),
    "ExperimentPost": open_object(
        {
            "name": _NAME,
            "key": KEY,
            "iteration": ref("IterationInput"),
            "description": _TEXT,
            "maintainerId": _WORD,
            "holdoutId": {"type": ["string", "null"]},
            "tags": listed(_WORD),
            "methodology": enum(*METHODOLOGIES),
            "analysisConfig": open_object(_ANALYSIS, *_ANALYSIS),
            "dataSource": enum(*SOURCES),
            "type": enum(*TYPES),
        },
        *("description", "maintainerId", "holdoutId", "tags", "methodology"),
        *("analysisConfig", "dataSource", "type"),
    ),
}

_EDITS: Final = {
    "name": {"operation": "update", "value": "Name"},
    "tags": {"operation": "add", "value": ["tag"]},
    "metrics": {"operation": "add", "value": [{"key": "sales"}]},
}
_PATCH: Final = open_object(
    {
        "comment": _TEXT,
        "instructions": listed(
            open_object({"kind": _ANY}),
            minItems=1,
            maxItems=INSTRUCTIONS_MAX,
            examples=[
                [
                    {"kind": "updateName", "value": "Name"},
                    {"kind": "updateDescription", "value": "Text"},
                    {"kind": "updateExperimentFields", "value": _EDITS},
                    {"kind": "startIteration", "changeJustification": "because"},
                    {
                        "kind": "saveAndStartNewIteration",
                        "changeJustification": "because",
                        "value": _EDITS,
                    },
                    {
                        "kind": "stopIteration",
                        "winningTreatmentId": "122c9f3eda264321ba68e0fc",
                        "winningReason": "it sold more",
                    },
                    {"kind": "archiveExperiment"},
                    {"kind": "restoreExperiment"},
                ]
            ],
        ),
    },
    "comment",
)

define({**_INPUTS, "ExperimentPatch": _PATCH})
