"""The schemas of segments."""

from __future__ import annotations

from typing import Final

from allotment.dialects.confidence.segments import OUTPUT, STATES
from allotment.server.confidence.schemas import SCHEMAS, Schema, ref
from allotment.server.operation import closed

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
        "criteria": {"type": "object", "additionalProperties": {"type": "object"}},
        "expression": {"type": "object"},
    },
    *("criteria", "expression"),
)
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
    }
)
