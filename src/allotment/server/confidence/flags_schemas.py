"""The schemas of flags and of their variants."""

from __future__ import annotations

from typing import Final

from allotment.dialects.confidence.flags import STATES
from allotment.dialects.confidence.variants import VARIANTS_MAX
from allotment.model.limits import TEXT_CHARACTERS_MAX
from allotment.server.api.operation import closed
from allotment.server.confidence.schemas import SCHEMAS, Schema, ref

_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_WHO: Final[dict[str, Schema]] = {"creator": {"type": "string"}, "updater": {"type": "string"}}
_ANYTHING: Final[Schema] = {"description": "Kept as it is sent."}
_TOLD: Final[Schema] = {"description": "Told, never set."}
_TEXT: Final[Schema] = {"type": ["string", "null"], "maxLength": TEXT_CHARACTERS_MAX}
_NONE: Final[Schema] = {"type": ["array", "null"], "maxItems": 0}

# The types of the fields of values, which have names of their own.
_STRUCT: Final[Schema] = {"properties": {"schema": {"additionalProperties": ref("FieldSchema")}}}

_VARIANT_EDITS: Final[dict[str, Schema]] = {
    "value": {"type": "object"},
    "description": _TEXT,
    "labels": _ANYTHING,
}
_VARIANT_TOLD: Final = dict.fromkeys(
    ("name", "createTime", "updateTime", "creator", "updater"), _TOLD
)
_EDITS: Final[dict[str, Schema]] = {
    "description": _TEXT,
    "schema": {**_ANYTHING, **_STRUCT},
    "labels": _ANYTHING,
    "owner": _ANYTHING,
}
_FLAG_TOLD: Final = dict.fromkeys(
    ("name", "state", "createTime", "updateTime", "creator", "updater", "usageMetadata"), _TOLD
)
_CREATED: Final[dict[str, Schema]] = {
    "variants": {
        "type": ["array", "null"],
        "maxItems": VARIANTS_MAX,
        "items": closed(
            {
                "name": {"type": "string"},
                **_VARIANT_EDITS,
                **dict.fromkeys(("createTime", "updateTime", "creator", "updater"), _TOLD),
            },
            *("description", "labels", "createTime", "updateTime", "creator", "updater"),
        ),
    },
    "rules": _NONE,
    "clients": _NONE,
}
_VARIANT: Final = closed(
    {
        "name": {"type": "string", "pattern": "^flags/[^/]+/variants/."},
        "value": {"type": "object"},
        "description": {"type": "string"},
        "labels": _ANYTHING,
        "createTime": _TIME,
        "updateTime": _TIME,
        **_WHO,
    },
    "labels",
)
_RULE: Final = closed(
    {
        "name": {"type": "string", "pattern": "^flags/[^/]+/rules/."},
        "segment": {"type": "string"},
        "enabled": {"type": "boolean"},
        "targetingKeySelector": {"type": "string"},
        "assignmentSpec": {"type": "object"},
    }
)

SCHEMAS.update(
    {
        "confidence.FieldSchema": {
            "properties": {
                "boolSchema": {},
                "intSchema": {},
                "doubleSchema": {},
                "stringSchema": {},
                "structSchema": _STRUCT,
                "listSchema": {"properties": {"elementSchema": ref("FieldSchema")}},
            }
        },
        "confidence.VariantCreate": closed(
            {**_VARIANT_EDITS, **_VARIANT_TOLD}, "description", "labels", *_VARIANT_TOLD
        ),
        "confidence.VariantEdit": closed(
            {**_VARIANT_EDITS, **_VARIANT_TOLD}, *_VARIANT_EDITS, *_VARIANT_TOLD
        ),
        "confidence.Variant": _VARIANT,
        "confidence.Variants": closed(
            {
                "variants": {"type": "array", "items": ref("Variant")},
                "nextPageToken": {"type": "string"},
            }
        ),
        "confidence.FlagCreate": closed(
            {**_EDITS, **_CREATED, **_FLAG_TOLD}, *_EDITS, *_CREATED, *_FLAG_TOLD
        ),
        "confidence.FlagEdit": closed({**_EDITS, **_FLAG_TOLD}, *_EDITS, *_FLAG_TOLD),
        "confidence.Flag": closed(
            {
                "name": {"type": "string", "pattern": "^flags/."},
                "description": {"type": "string"},
                "schema": closed({"schema": {"type": "object"}}),
                "variants": {"type": "array", "items": ref("Variant")},
                "rules": {"type": "array", "items": _RULE},
                "clients": {"type": "array", "maxItems": 0},
                "state": {"type": "string", "enum": [*STATES]},
                "createTime": _TIME,
                "updateTime": _TIME,
                **_WHO,
                "labels": _ANYTHING,
                "owner": _ANYTHING,
            },
            *("labels", "owner"),
        ),
        "confidence.Flags": closed(
            {
                "flags": {"type": "array", "items": ref("Flag")},
                "nextPageToken": {"type": "string"},
            }
        ),
    }
)
