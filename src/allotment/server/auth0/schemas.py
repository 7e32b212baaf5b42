"""The schemas of the Auth0 paths in the OpenAPI document: both generations of the API at once."""

from __future__ import annotations

from typing import Any, Final

from allotment.dialects.auth0.allocations import ITEMS_MAX, STRATEGIES
from allotment.dialects.auth0.flags import STATUSES as FLAG_STATUSES
from allotment.dialects.auth0.labels import LINE
from allotment.dialects.auth0.lists import TYPES
from allotment.dialects.auth0.rules import ATTRIBUTES
from allotment.dialects.auth0.segments import STATUSES as SEGMENT_STATUSES
from allotment.dialects.auth0.segments import SUBJECT
from allotment.dialects.auth0.transitions import STATUSES, TARGETS
from allotment.server.operation import closed

Schema = dict[str, Any]

_BASE58: Final = "[A-HJ-NP-Za-km-z1-9]"


def ref(name: str) -> Schema:
    """A reference to one of these schemas."""
    return {"$ref": f"#/components/schemas/Auth0{name}"}


def _id(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}_{_BASE58}{{22}}$"}


def _enum(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _list(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items, **more}


def _map(items: Schema, **more: object) -> Schema:
    return {"type": "object", "additionalProperties": items, **more}


def _patch(properties: Schema) -> Schema:
    """The body of a PATCH: any of the properties, and at least one of them."""
    return closed(properties, *properties, minProperties=1)


def _noun(properties: Schema, **optional: Schema) -> Schema:
    """What is shown of a noun: the properties, the two moments all have, and what may be unset."""
    moments = {"created_at": _MOMENT, "updated_at": _MOMENT}
    return closed({**properties, **moments, **optional}, *optional)


_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_NAME: Final[Schema] = {"type": "string", "minLength": 3, "maxLength": 255, "pattern": LINE}
_SHOWN_NAME: Final[Schema] = {"type": "string", "description": "The key, where there is no name."}
_TEXT: Final[Schema] = {"type": "string", "minLength": 3, "maxLength": 1024, "pattern": LINE}
_SHOWN_TEXT: Final[Schema] = {"type": "string"}
_CLEARED: Final[Schema] = {**_TEXT, "type": ["string", "null"]}
_NULL: Final[Schema] = {"type": ["object", "null"], "description": "Always null: none is taken."}
_FLOW: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 255}
_PERCENT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 100}
_LEVELS: Final = _list(_PERCENT, minItems=1, maxItems=101, uniqueItems=True)
_NO_LEVELS: Final[Schema] = {**_LEVELS, "type": ["array", "null"]}
_RANK: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
_SUBJECT: Final = closed({"subject": _enum(SUBJECT)})
_UNIT: Final = closed({"subject": {"type": "string"}})

_EXPRESSION_VALUES: Final = _list({"type": "string", "maxLength": 1024}, minItems=1)
_EXPRESSION: Final[Schema] = {
    "oneOf": [
        _EXPRESSION_VALUES,
        *(closed({form: _EXPRESSION_VALUES}) for form in ("contains", "starts_with", "ends_with")),
        closed({"exists": {"type": "boolean"}}),
    ]
}
_BLOCK: Final = closed(
    dict.fromkeys(ATTRIBUTES, _EXPRESSION), *ATTRIBUTES, minProperties=1, maxProperties=10
)
_RULE: Final = closed({"match": _BLOCK, "not_match": _BLOCK}, "match", "not_match", minProperties=1)
_RULES: Final = _list(_RULE, minItems=1)
_SHOWN_RULES: Final = _list({"type": "object"})

_VALUE: Final[Schema] = {"description": "Any JSON of the parameter's type, at most 1 KB of it."}
_PARAMETER: Final = closed(
    {
        "type": _enum("string", "boolean", "number", "array", "object"),
        "value": _VALUE,
        "description": {"type": "string", "maxLength": 255},
    },
    "description",
)
_PARAMETERS: Final = _map(
    _PARAMETER,
    minProperties=1,
    maxProperties=10,
    propertyNames={"minLength": 1, "maxLength": 255},
)
_OVERRIDES: Final = _map(closed({"value": _VALUE}))

_ITEM: Final = closed(
    {
        "variation_id": _id("var"),
        "is_control": {"type": "boolean"},
        "weight": {"type": "number", "minimum": 0, "maximum": 100},
        "segment_id": _id("seg"),
        "priority": _RANK,
        "is_fallback": {"type": "boolean"},
    },
    *("weight", "segment_id", "priority", "is_fallback"),
)
_SHOWN_ITEM: Final = closed(
    {
        "is_control": {"type": "boolean"},
        "variation_snapshot": _NULL,
        "segment_snapshot": _NULL,
        "variation_id": _id("var"),
        "variation_name": _SHOWN_NAME,
        "weight": {"type": "number", "minimum": 0},
        "segment_id": _id("seg"),
        "segment_name": _SHOWN_NAME,
        "priority": _RANK,
        "is_fallback": {"type": "boolean"},
    },
    *("variation_id", "variation_name", "weight"),
    *("segment_id", "segment_name", "priority", "is_fallback"),
)
_ITEMS: Final = _list(_ITEM, minItems=1, maxItems=ITEMS_MAX)
_AS_SHOWN: Final = _list(_SHOWN_ITEM, description="As they are shown, which is no change.")

_TARGET: Final[Schema] = {
    **_enum(*STATUSES),
    "description": f"{', '.join(TARGETS)}; or the status that it has.",
}

_EXPERIMENT_EDITS: Final[Schema] = {
    "name": _NAME,
    "description": _CLEARED,
    "authentication_flow": _FLOW,
    "assignment_config": _UNIT,
    "allocations": {"anyOf": [_ITEMS, _AS_SHOWN]},
    "levels": _NO_LEVELS,
    "status": _TARGET,
}
_FLAG_EDITS: Final[Schema] = {
    "name": _NAME,
    "description": _CLEARED,
    "parameters": _PARAMETERS,
    "status": _enum(*FLAG_STATUSES),
}
_VARIATION_EDITS: Final[Schema] = {
    "name": _NAME,
    "description": _CLEARED,
    "overrides": _OVERRIDES,
}
_SEGMENT_EDITS: Final[Schema] = {
    "name": _NAME,
    "description": _CLEARED,
    "rules": _RULES,
    "status": _enum(*SEGMENT_STATUSES),
}

_SCHEMAS: Final[Schema] = {
    "Error": closed(
        {
            "statusCode": {"type": "integer"},
            "error": {"type": "string", "description": "The status in words."},
            "message": {"type": "string"},
            "errorCode": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        }
    ),
    "ExperimentId": _id("exp"),
    "FlagId": _id("flg"),
    "VariationId": _id("var"),
    "SegmentId": _id("seg"),
    "Experiment": _noun(
        {
            "id": _id("exp"),
            "name": _SHOWN_NAME,
            "feature_flag_id": _id("flg"),
            "authentication_flow": _FLOW,
            "allocation_strategy": _enum(*STRATEGIES),
            "assignment_config": _UNIT,
            "status": _enum(*STATUSES),
            "is_valid": {"type": "boolean"},
            "allocations": _list(_SHOWN_ITEM),
            "editable_fields": _list({"type": "string"}),
            "feature_flag_snapshot": _NULL,
            "current_level": {**_PERCENT, "type": ["integer", "null"]},
        },
        description=_SHOWN_TEXT,
        feature_flag_name=_SHOWN_NAME,
        levels=_LEVELS,
        started_at=_MOMENT,
        ended_at=_MOMENT,
    ),
    "ExperimentCreate": closed(
        {
            "name": _NAME,
            "feature_flag_id": _id("flg"),
            "authentication_flow": _FLOW,
            "description": _TEXT,
            "assignment_config": _SUBJECT,
            "allocation_strategy": _enum(*STRATEGIES),
            "allocations": _ITEMS,
            "levels": _NO_LEVELS,
        },
        *("description", "assignment_config", "allocation_strategy", "allocations", "levels"),
    ),
    "ExperimentUpdate": _patch(_EXPERIMENT_EDITS),
    "ExperimentStatus": closed({"status": _TARGET}),
    "Validation": closed(
        {
            "is_valid": {"type": "boolean"},
            "errors": _list(closed({"code": {"type": "string"}, "message": {"type": "string"}})),
        }
    ),
    "RampTarget": closed({"target_level": _PERCENT}),
    "Ramp": closed(
        {
            "experiment_id": _id("exp"),
            "from_level": _PERCENT,
            "to_level": _PERCENT,
            "current_level": _PERCENT,
        }
    ),
    "Flag": _noun(
        {
            "id": _id("flg"),
            "name": _SHOWN_NAME,
            "type": _enum(*TYPES),
            "status": _enum(*FLAG_STATUSES),
            "parameters": _map(_PARAMETER),
        },
        description=_SHOWN_TEXT,
    ),
    "FlagCreate": closed(
        {"name": _NAME, "parameters": _PARAMETERS, "description": _TEXT}, "description"
    ),
    "FlagUpdate": _patch(_FLAG_EDITS),
    "FlagStatus": closed({"status": _enum(*FLAG_STATUSES)}),
    "Variation": _noun(
        {
            "id": _id("var"),
            "feature_flag_id": _id("flg"),
            "name": _SHOWN_NAME,
            "overrides": _OVERRIDES,
        },
        description=_SHOWN_TEXT,
    ),
    "VariationCreate": closed(
        {"name": _NAME, "overrides": _OVERRIDES, "description": _TEXT}, "description"
    ),
    "VariationUpdate": _patch(_VARIATION_EDITS),
    "Segment": _noun(
        {
            "id": _id("seg"),
            "name": _SHOWN_NAME,
            "type": _enum(*TYPES),
            "status": _enum(*SEGMENT_STATUSES),
            "rules": _SHOWN_RULES,
        },
        description=_SHOWN_TEXT,
    ),
    "SegmentCreate": closed({"name": _NAME, "rules": _RULES, "description": _TEXT}, "description"),
    "SegmentUpdate": _patch(_SEGMENT_EDITS),
}


def page_of(name: str, items: str) -> Schema:
    """The schema of a list in pages."""
    following = {"type": "string", "description": "The `from` of the next page; none at the end."}
    return closed({name: _list(ref(items)), "next": following}, "next")


def all_of(name: str, items: str) -> Schema:
    """The schema of a list that comes whole."""
    return closed({name: _list(ref(items))})


# By their names in the document.
SCHEMAS: Final[Schema] = {f"Auth0{name}": schema for name, schema in _SCHEMAS.items()}
