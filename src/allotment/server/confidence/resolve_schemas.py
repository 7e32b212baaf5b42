"""What `flags:resolve` and `flags:apply` say of themselves in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from allotment.server.api.operation import closed, operation
from allotment.server.confidence.schemas import SCHEMAS, Schema, ref
from allotment.store import Scope

_SECRET: Final[Schema] = {
    "type": "string",
    "maxLength": 4096,
    "description": "A token; there is none in a header.",
}
_FLAG: Final[Schema] = {
    "type": "string",
    "maxLength": 1024,
    "pattern": "^flags/.",
    "examples": ["flags/my-flag"],
}
_SDK: Final[Schema] = {"description": "Which SDK asks; it is not looked at."}
_TIME: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-01-02T03:04:05.678Z"],
}
_MAYBE: Final = ["object", "null"]

SCHEMAS.update(
    {
        "confidence.ResolveRequest": closed(
            {
                "clientSecret": _SECRET,
                "evaluationContext": {"type": _MAYBE},
                "apply": {"type": "boolean"},
                "flags": {"type": ["array", "null"], "items": _FLAG},
                "sdk": _SDK,
            },
            *("clientSecret", "evaluationContext", "apply", "flags", "sdk"),
        ),
        "confidence.ResolvedFlag": closed(
            {
                "flag": _FLAG,
                "variant": {"type": "string", "description": "Empty where there is none."},
                "value": {"type": _MAYBE},
                "flagSchema": {"type": _MAYBE},
                "reason": {
                    "type": "string",
                    "enum": [
                        f"RESOLVE_REASON_{reason}"
                        for reason in ("MATCH", "NO_SEGMENT_MATCH", "TARGETING_KEY_ERROR")
                    ],
                },
                "shouldApply": {"type": "boolean"},
                "assignmentOrigin": {"type": "string"},
            }
        ),
        "confidence.ResolveResponse": closed(
            {
                "resolvedFlags": {"type": "array", "items": ref("ResolvedFlag")},
                "resolveToken": {"type": "string"},
                "resolveId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            }
        ),
        "confidence.ApplyRequest": closed(
            {
                "clientSecret": _SECRET,
                "resolveToken": {"type": "string", "minLength": 1},
                "sendTime": _TIME,
                "flags": {
                    "type": ["array", "null"],
                    "maxItems": 1000,
                    "items": closed({"flag": _FLAG, "applyTime": _TIME}),
                },
                "sdk": _SDK,
            },
            *("clientSecret", "flags", "sdk"),
        ),
    }
)


def _described(summary: str, answer: Schema, body: Schema) -> dict[str, Any]:
    said = operation(
        summary,
        Scope.ASSIGN,
        {200: answer},
        body=body,
        refused=(413, 415),
        error=ref("Error"),
        tag="confidence",
    )
    # The token stands in the body, under clientSecret.
    return {**said, "security": [], "x-allotment-secret": "clientSecret"}


RESOLVE: Final = _described(
    "Resolve flags for whoever the context names",
    ref("ResolveResponse"),
    ref("ResolveRequest"),
)
APPLY: Final = _described(
    "Log what an earlier resolve gave, when it was shown", closed({}), ref("ApplyRequest")
)
