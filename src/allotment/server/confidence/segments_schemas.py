"""The schemas of segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from allotment.dialects.confidence.segments import OUTPUT, STATES
from allotment.server.api.operation import closed
from allotment.server.confidence.schemas import SCHEMAS, Schema, ref

_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_WHO: Final[dict[str, Schema]] = {"creator": {"type": "string"}, "updater": {"type": "string"}}
_TAGS: Final[Schema] = {
    "type": ["array", "null"],
    "maxItems": 100,
    "items": {"type": "string", "minLength": 1, "maxLength": 250},
}
_PROPORTION: Final = closed(
    {"value": {"type": "string", "maxLength": 32, "examples": ["0.5"]}}, type=["object", "null"]
)
_TARGETING: Final = closed(
    {
        "criteria": {"type": "object", "additionalProperties": ref("Criterion")},
        "expression": ref("Expression"),
    },
    *("criteria", "expression"),
)


def _any_of(fields: Mapping[str, Schema]) -> Schema:
    """A message of which each field may be left out."""
    return closed(fields, *fields)


def _one_of(fields: Mapping[str, Schema]) -> Schema:
    """A message of which one field is given."""
    return {**_any_of(fields), "minProperties": 1, "maxProperties": 1}


_VALUE: Final = ref("Value")
_TEXT_RULE: Final = closed({"value": {"type": "string"}})
_PLAIN_RULES: Final[dict[str, Schema]] = {
    "eqRule": closed({"value": _VALUE}),
    "setRule": closed({"values": {"type": "array", "minItems": 1, "items": _VALUE}}),
    "rangeRule": _any_of(
        dict.fromkeys(("startInclusive", "startExclusive", "endInclusive", "endExclusive"), _VALUE)
    ),
    **dict.fromkeys(("startsWithRule", "endsWithRule", "containsRule"), _TEXT_RULE),
}
_INNER: Final = closed({"rule": _one_of(_PLAIN_RULES)})
_RULES: Final[dict[str, Schema]] = {**_PLAIN_RULES, "anyRule": _INNER, "allRule": _INNER}
_OPERANDS: Final = _any_of({"operands": {"type": "array", "items": ref("Expression")}})
_WORDS: Final[dict[str, Schema]] = {
    "ref": {"type": "string", "minLength": 1},
    "not": ref("Expression"),
    "and": _OPERANDS,
    "or": _OPERANDS,
}
_NOTES: Final[dict[str, Schema]] = {
    "labels": {"description": "Kept as it is sent; an object of text is meant."},
    "owner": {"description": "Kept as it is sent; the name of an identity is meant."},
}
_TOLD: Final[Schema] = {"description": "Told, never set."}
_OUTPUT: Final = dict.fromkeys(OUTPUT, _TOLD)
_EDITS: Final[dict[str, Schema]] = {
    "displayName": {"type": ["string", "null"], "maxLength": 1024},
    "targeting": {**_TARGETING, "type": ["object", "null"]},
    "allocation": closed(
        {"proportion": _PROPORTION, "exclusivityTags": _TAGS, "exclusiveTo": _TAGS},
        *("proportion", "exclusivityTags", "exclusiveTo"),
        type=["object", "null"],
    ),
    **_NOTES,
}

SCHEMAS.update(
    {
        "confidence.SegmentEdit": closed({**_EDITS, **_OUTPUT}, *_EDITS, *_OUTPUT),
        "confidence.Segment": closed(
            {
                "name": {"type": "string", "pattern": "^segments/."},
                "displayName": {"type": "string"},
                "targeting": _TARGETING,
                "allocation": closed(
                    {
                        "proportion": closed({"value": {"type": "string"}}),
                        "exclusivityTags": {"type": "array", "items": {"type": "string"}},
                        "exclusiveTo": {"type": "array", "items": {"type": "string"}},
                    }
                ),
                "state": {"type": "string", "enum": [*STATES]},
                "createTime": _TIME,
                "updateTime": _TIME,
                **_WHO,
                **_NOTES,
            },
            *_NOTES,
        ),
        "confidence.Segments": closed(
            {
                "segments": {"type": "array", "items": ref("Segment")},
                "nextPageToken": {"type": "string"},
            }
        ),
        "confidence.Nothing": closed({}),
        "confidence.Criterion": _one_of(
            {
                "attribute": closed({"attributeName": {"type": "string"}, **_RULES}, *_RULES),
                "segment": closed({"segment": {"type": "string", "pattern": "^segments/"}}),
                "materializedSegment": closed({"materializedSegment": {"type": "string"}}),
            }
        ),
        "confidence.Expression": {**_any_of(_WORDS), "maxProperties": 1},
        "confidence.Value": _one_of(
            {
                "boolValue": {"type": "boolean"},
                "numberValue": {"type": "number"},
                "stringValue": {"type": "string"},
                "timestampValue": {"type": "string"},
                "versionValue": closed({"version": {"type": "string"}}),
                "listValue": closed({"values": {"type": "array", "items": _VALUE}}),
            }
        ),
    }
)
