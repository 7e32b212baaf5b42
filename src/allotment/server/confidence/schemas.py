"""The schemas of Confidence's paths in the OpenAPI document.

Those of instances are made from the list of fields that the dialect reads by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from allotment.dialects.confidence.arms import NOTED
from allotment.dialects.confidence.codes import CODES
from allotment.dialects.confidence.fields import MODULES, OUTPUT, OWN, WRITABLE, Fields, Holds
from allotment.dialects.confidence.names import INSTANCES
from allotment.dialects.confidence.transitions import STATES
from allotment.server.api.operation import closed

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to one of these schemas."""
    return {"$ref": f"#/components/schemas/confidence.{name}"}


def _open(*names: str) -> dict[str, Schema]:
    """Fields of which each may hold anything."""
    return {name: {} for name in names}


_TEXT: Final[Schema] = {"type": "string"}
_MESSAGE: Final[Schema] = {"type": "object"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_STATE: Final[Schema] = {"type": "string", "enum": [*STATES]}
_ID: Final = "[0-9a-z]{20}"
_WEIGHT: Final[Schema] = {
    "description": "Parts of 10,000.",
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        {"type": "string", "pattern": "^[0-9]{1,10}$"},
    ],
}
_NOTED: Final = dict.fromkeys(NOTED, _TEXT)
_TREATMENT: Final = {"variant": _TEXT, "displayName": _TEXT, **_NOTED}

_HOLDS: Final[dict[Holds, Schema]] = {
    Holds.TEXT: {"type": ["string", "null"]},
    Holds.TRUTH: {"type": ["boolean", "null"]},
    Holds.NUMBER: {"type": ["number", "null"]},
    Holds.OBJECT: {"type": ["object", "null"]},
    Holds.OBJECTS: {"type": ["array", "null"], "items": _MESSAGE},
    Holds.TEXTS: {"type": ["array", "null"], "items": _TEXT},
    Holds.LABELS: {"type": ["object", "array", "null"], "items": _MESSAGE},
    Holds.ANYTHING: {},
}

# Fields of what is kept as it comes, where pages name them.
_WITHIN: Final[dict[str, Schema]] = {
    "jobQueue": {
        "properties": {
            "isEnabled": {},
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": _open("key", "func", "runTime", "isActive", "parameters"),
                },
            },
        }
    },
    "audiences": {
        "items": {
            "type": "object",
            "properties": _open(
                "id",
                "displayName",
                "intakePaused",
                "launchTime",
                "materialization",
                "rule",
                "segment",
                "stopTime",
            ),
        }
    },
}


def _fields(fields: Fields) -> dict[str, Schema]:
    """The schema of each field, any of which may be null."""
    found: dict[str, Schema] = {}
    for name, holds in fields.items():
        if isinstance(holds, Mapping):
            found[name] = closed(_fields(holds), *holds, type=["object", "null"])
        else:
            found[name] = {**_HOLDS[holds], **_WITHIN.get(name, {})}
    return found


def _request(*required: str) -> Schema:
    """A body: what may be set, and what is told, which is passed over."""
    properties = {**_fields(WRITABLE), **{name: {} for name in OUTPUT}}
    items = closed({**_TREATMENT, "weight": _WEIGHT}, *_TREATMENT, "weight")
    abtest = properties["abtest"]["properties"]
    properties["abtest"] = {
        **properties["abtest"],
        "properties": {**abtest, "treatments": {"type": ["array", "null"], "items": items}},
    }
    optional = [name for name in properties if name not in required]
    return closed({**properties, **dict.fromkeys(required, _LABEL)}, *optional)


_LABEL: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 1024}
_CHECK: Final = closed(
    {
        "name": _TEXT,
        "displayName": _TEXT,
        "parent": _TEXT,
        "message": _TEXT,
        "state": _STATE,
        "persist": {"type": "boolean"},
        "data": {"type": "boolean"},
    }
)
_MOMENTS: Final = dict.fromkeys(
    ("enteredTime", "exitedTime", "actualEnteredTime", "actualExitedTime"), _TIME
)
_ENTRY: Final = closed(
    {"state": _STATE, "checks": {"type": "array", "items": _CHECK}, **_MOMENTS}, *_MOMENTS
)
_TOLD: Final[dict[str, Schema]] = {
    "name": {"type": "string", "pattern": f"^{INSTANCES}/{_ID}$"},
    "state": _STATE,
    "createTime": _TIME,
    "updateTime": _TIME,
    "creator": _TEXT,
    "updater": _TEXT,
    "transitionStatus": _MESSAGE,
    "deleteTime": {"type": "null"},
    "checks": {"type": "array", "items": _CHECK},
    "stateHistory": {"type": "array", "items": _ENTRY},
    "possibleTransitions": {"type": "array", "items": _STATE},
    "lockedDataKeys": {"type": "array", "items": {"type": "string", "enum": [*MODULES]}},
}
_SHOWN: Final = _fields(WRITABLE)
_OPTIONAL: Final = [name for name in (*OWN, *MODULES) if name != "displayName"]

SCHEMAS: Final[dict[str, Schema]] = {
    "confidence.Error": closed(
        {
            "code": {"type": "integer", "enum": [*CODES.values()]},
            "message": {"type": "string"},
            "details": {"type": "array", "items": {"type": "object"}},
        }
    ),
    "confidence.InstanceId": {"type": "string", "pattern": f"^{_ID}$"},
    "confidence.Instance": closed({**_TOLD, **_SHOWN, "displayName": _LABEL}, *_OPTIONAL),
    "confidence.Instances": closed(
        {"abtests": {"type": "array", "items": ref("Instance")}, "nextPageToken": _TEXT}
    ),
    "confidence.InstanceCreate": _request("displayName"),
    "confidence.InstanceUpdate": _request(),
    "confidence.Clone": closed(
        {"displayName": _LABEL, "parameters": closed({})}, "displayName", "parameters"
    ),
    "confidence.Transition": closed({"targetState": _STATE}),
}
