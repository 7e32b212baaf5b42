"""The schemas of holdouts in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.holdouts_base import STATUSES
from allotment.model.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from allotment.server.launchdarkly.operation import KEY
from allotment.server.launchdarkly.schemas import define, enum, listed, open_object, ref
from allotment.server.operation import closed

_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "integer", "minimum": 0}
_PERCENT: Final = {**_TEXT, "minLength": 1, "maxLength": 16, "examples": ["5"]}
_STATUS: Final = enum(*STATUSES)
_RELATED: Final = listed(closed({"key": _TEXT, "name": _TEXT, "environment": _TEXT}))
_SHOWN: Final = {
    "_id": _TEXT,
    "status": _STATUS,
    "description": _TEXT,
    "holdoutAmount": _TEXT,
    "createdAt": _TIME,
    "updatedAt": _TIME,
    "baseExperiment": ref("Experiment"),
}
_SIMPLE: Final = {
    "_id": _TEXT,
    "key": _TEXT,
    "name": _TEXT,
    "status": _STATUS,
    "createdAt": _TIME,
    "updatedAt": _TIME,
    "experiments": _RELATED,
}
_WORD: Final = {**_TEXT, "minLength": 1, "maxLength": 1024}
_NAME: Final = {**_TEXT, "minLength": 1, "maxLength": NAME_CHARACTERS_MAX}
_LONG: Final = {**_TEXT, "maxLength": TEXT_CHARACTERS_MAX}
_WORDS: Final = listed(_WORD, maxItems=100)
_POSTED: Final = {
    "holdoutamount": _PERCENT,
    "key": KEY,
    "name": _NAME,
    "description": _LONG,
    "randomizationunit": KEY,
    "attributes": _WORDS,
    "metrics": listed(ref("MetricInput"), maxItems=100),
    "primarymetrickey": _WORD,
    "prerequisiteflagkey": _WORD,
    "maintainerId": _WORD,
}

define(
    {
        "Holdout": closed({**_SHOWN, "experiments": _RELATED}),
        "HoldoutDetail": closed(
            {
                **_SHOWN,
                "isDirty": {"type": "boolean"},
                "relatedExperiments": listed(ref("Experiment")),
            }
        ),
        "Holdouts": closed(
            {
                "items": listed(closed(_SIMPLE)),
                "total_count": {"type": "integer", "minimum": 0},
                "_links": ref("Links"),
            }
        ),
        "HoldoutPost": open_object(
            _POSTED,
            *list(_POSTED)[1:],
            anyOf=[{"required": ["key"]}, {"required": ["name"]}],
        ),
    }
)
