"""The bodies of the assignment paths, as the OpenAPI document has them."""

from __future__ import annotations

from typing import Any, Final

from allotment.model.assignment import REASONS
from allotment.server.api.operation import closed, ref

_TEXT: Final = {"type": "string"}
_MAYBE_TEXT: Final = {"type": ["string", "null"]}
_KEY: Final = {"oneOf": [_TEXT, {"type": "integer"}]}
_MAYBE_KEY: Final = {"oneOf": [*_KEY["oneOf"], {"type": "null"}]}
_REVISION: Final = {"type": "integer", "minimum": 0}
_VARIATIONS: Final = {
    "type": "object",
    "description": "Flag to variation, as the treatment sets them.",
    "additionalProperties": _TEXT,
}
_TO_KEEP: Final = (
    "Whether the experiment keeps first assignments and this one is not stored: the client stores"
    " it, or the store is away."
)
_BOTH: Final = "Name one or several, not both; default: all of them."


def _one_or_several(noun: str) -> dict[str, Any]:
    """Properties that name some nouns, of which at most one may be there."""
    return {noun: _TEXT, f"{noun}s": {"type": "array", "items": _TEXT}}


def _not_both(noun: str) -> dict[str, Any]:
    return {"not": {"required": [noun, f"{noun}s"]}, "description": _BOTH}


SCHEMAS: Final[dict[str, Any]] = {
    "Unit": {
        "description": "What is randomised: a key of 1 to 1,024 bytes of UTF-8, an integer standing"
        " for its decimal text; or keys by kind, where experiments randomise several kinds. An"
        " empty or longer key is answered with the reason NO_UNIT.",
        "oneOf": [
            *_KEY["oneOf"],
            {"type": "object", "additionalProperties": _KEY},
        ],
        "example": "user-1",
    },
    "Attributes": {
        "description": "What is known of the unit, nested as it comes: at most 64 KiB of JSON, 32"
        " deep. Of a name that an object has twice the last one counts.",
        "type": ["object", "null"],
        "additionalProperties": True,
        "example": {"country": "SE"},
    },
    "Reason": {"enum": [reason.value for reason in REASONS]},
    "Assignment": closed(
        {
            "treatment": _MAYBE_TEXT,
            "reason": ref("Reason"),
            "variations": _VARIATIONS,
            "is_control": {"type": "boolean"},
            "iteration": {"type": "integer", "minimum": 0},
            "revision": {
                **_REVISION,
                "description": "The revision since which the experiment answers as it does.",
            },
            "to_keep": {"type": "boolean", "description": _TO_KEEP},
        }
    ),
    "AssignRequest": closed(
        {
            "unit": ref("Unit"),
            "attributes": ref("Attributes"),
            **_one_or_several("experiment"),
            "stored": {
                "type": ["object", "null"],
                "description": "Treatments that the client keeps itself, by experiment: the store"
                " neither reads nor stores those. Text that is no treatment means none.",
                "additionalProperties": _TEXT,
            },
        },
        *("attributes", "experiment", "experiments", "stored"),
        **_not_both("experiment"),
    ),
    "AssignAnswer": closed(
        {
            "revision": _REVISION,
            "assignments": {
                "type": "object",
                "description": "By experiment. One that does not exist has UNKNOWN_EXPERIMENT.",
                "additionalProperties": ref("Assignment"),
            },
        }
    ),
    "ResolveRequest": closed(
        {"unit": ref("Unit"), "attributes": ref("Attributes"), **_one_or_several("flag")},
        *("unit", "attributes", "flag", "flags"),
        **_not_both("flag"),
    ),
    "ResolveAnswer": closed(
        {
            "revision": _REVISION,
            "resolutions": {
                "type": "object",
                "description": "By flag. All is null for a flag that does not exist.",
                "additionalProperties": closed(
                    {
                        "value": {"description": "The variation's value, of whatever type."},
                        "variation": _MAYBE_TEXT,
                        "experiment": {
                            **_MAYBE_TEXT,
                            "description": "Whose treatment it is; null for the flag's default.",
                        },
                        "treatment": _MAYBE_TEXT,
                        "reason": {
                            "oneOf": [ref("Reason"), {"type": "null"}],
                            "description": "That of the last experiment that was asked.",
                        },
                    }
                ),
            },
        }
    ),
    "ExplainRequest": closed(
        {
            "experiment": _TEXT,
            "unit": ref("Unit"),
            "attributes": ref("Attributes"),
            "stored": {
                **_MAYBE_TEXT,
                "description": "A treatment to take for the kept one; default: what is kept.",
            },
            "revision": {
                "type": "integer",
                "minimum": 1,
                "maximum": 10**17,
                "description": "Explain it as the catalog stood then; default: as it stands now.",
            },
        },
        *("attributes", "stored", "revision"),
    ),
    "ExplainAnswer": closed(
        {
            "revision": _REVISION,
            "experiment": _TEXT,
            "assignment": ref("Assignment"),
            "checks": {
                "type": "array",
                "description": "Every check in the order of asking.",
                "items": closed(
                    {
                        "name": _TEXT,
                        "applies": {"type": "boolean"},
                        "draw": {
                            **_MAYBE_TEXT,
                            "pattern": "^[0-9a-f]{16}$",
                            "description": "64 bits, hexadecimal.",
                        },
                        "bucket": {"type": ["integer", "null"], "minimum": 0, "maximum": 999_999},
                        "bound": {**_TEXT, "description": "What it is held against, in words."},
                        "outcome": _TEXT,
                        "decided": {"type": "boolean"},
                    }
                ),
            },
        }
    ),
    "BatchRequest": closed(
        {
            "units": {
                "type": "array",
                "description": "What is no unit is answered with the reason NO_UNIT.",
                "items": {},
            },
            "attributes": {
                "description": "A mapping a unit, or a column of values an attribute: as many as"
                " there are units.",
                "oneOf": [
                    {"type": "array", "items": ref("Attributes")},
                    {"type": "object", "additionalProperties": {"type": "array", "items": {}}},
                    {"type": "null"},
                ],
            },
            "experiments": {
                "type": "array",
                "items": _TEXT,
                "description": "Default: all of them.",
            },
        },
        *("attributes", "experiments"),
        example={
            "units": ["user-1", "user-2"],
            "attributes": [{"country": "SE"}, {"country": "NO"}],
        },
    ),
    "BatchAnswer": closed(
        {
            "revision": _REVISION,
            "experiments": {
                "type": "object",
                "description": "What the answers of each experiment mean.",
                "additionalProperties": closed(
                    {
                        "iteration": {"type": "integer", "minimum": 1},
                        "revision": _REVISION,
                        "control": _MAYBE_TEXT,
                        "treatments": {"type": "object", "additionalProperties": _VARIATIONS},
                    }
                ),
            },
            "units": {
                "type": "array",
                "description": "In the order of the request.",
                "items": ref("UnitAnswer"),
            },
        }
    ),
    "UnitAnswer": {
        "description": "What one unit gets; or why the line it was to stand on could not be read.",
        "oneOf": [
            closed(
                {
                    "unit": {
                        "description": "The unit; null in the place of what is no key.",
                        "oneOf": [
                            *_KEY["oneOf"],
                            {"type": "null"},
                            {"type": "object", "additionalProperties": _MAYBE_KEY},
                        ],
                    },
                    "assignments": {
                        "type": "object",
                        "additionalProperties": closed(
                            {
                                "treatment": _MAYBE_TEXT,
                                "reason": ref("Reason"),
                                "to_keep": {
                                    "const": True,
                                    "description": _TO_KEEP,
                                },
                            },
                            "to_keep",
                        ),
                    },
                }
            ),
            closed({"error": closed({"detail": _TEXT})}),
        ],
    },
}
