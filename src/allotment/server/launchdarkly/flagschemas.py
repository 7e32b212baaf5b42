"""The schemas of flags in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from allotment.model.limits import NAME_CHARACTERS_MAX
from allotment.server.launchdarkly.operation import KEY
from allotment.server.launchdarkly.schemas import define, enum, listed, mapped, open_object, ref
from allotment.server.operation import closed

_TEXT: Final = {"type": "string"}
_NAME: Final = {**_TEXT, "minLength": 1, "maxLength": NAME_CHARACTERS_MAX}
_TRUTH: Final = {"type": "boolean"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_WORDS: Final = listed(_TEXT, maxItems=100)
_PROPERTIES: Final = mapped({})
_AVAILABILITY: Final = mapped(_TRUTH)
_INDEXES: Final = {"onVariation": _COUNT, "offVariation": _COUNT}
_NAMED: Final = {"description": _TEXT, "name": _TEXT}
_OPTIONAL: Final = {
    "includeInSnippet": _TRUTH,
    "clientSideAvailability": _AVAILABILITY,
    "maintainerId": _TEXT,
    "maintainerTeamKey": _TEXT,
}
_POSTED: Final = {
    "description": _TEXT,
    "variations": listed(open_object({"value": {}, **_NAMED}, *_NAMED), minItems=1, maxItems=256),
    "temporary": _TRUTH,
    "tags": _WORDS,
    "defaults": open_object(_INDEXES),
    "isFlagOn": _TRUTH,
    "purpose": _TEXT,
    "customProperties": _PROPERTIES,
    **_OPTIONAL,
}
_NOTHING: Final = ("targets", "contextTargets", "rules", "prerequisites")
_OPERATIONS: Final = listed(
    open_object({"op": enum("add", "replace"), "path": _TEXT, "value": {}}),
    minItems=1,
    maxItems=100,
)

define(
    {
        "Flag": closed(
            {
                "key": _TEXT,
                "name": _TEXT,
                "description": _TEXT,
                "kind": enum("boolean", "multivariate"),
                "_version": _COUNT,
                "creationDate": _COUNT,
                "variations": listed(closed({"_id": _TEXT, "value": {}, **_NAMED}, *_NAMED)),
                "temporary": _TRUTH,
                "tags": listed(_TEXT),
                "_links": ref("Links"),
                "experiments": closed({"baselineIdx": _COUNT, "items": listed({})}),
                "customProperties": _PROPERTIES,
                "archived": _TRUTH,
                "defaults": closed(_INDEXES),
                "environments": mapped(ref("FlagConfig")),
                "purpose": _TEXT,
                **_OPTIONAL,
            },
            *("purpose", *_OPTIONAL),
        ),
        "FlagConfig": closed(
            {
                "on": _TRUTH,
                "archived": _TRUTH,
                "salt": _TEXT,
                "sel": _TEXT,
                "lastModified": _COUNT,
                "version": _COUNT,
                **dict.fromkeys(_NOTHING, listed({})),
                "fallthrough": closed({"variation": _COUNT}),
                "offVariation": _COUNT,
                "trackEvents": _TRUTH,
                "trackEventsFallthrough": _TRUTH,
                "_environmentName": _TEXT,
                "_site": ref("Link"),
            }
        ),
        "Flags": closed(
            {"items": listed(ref("Flag")), "totalCount": _COUNT, "_links": ref("Links")}
        ),
        "FlagPost": open_object({"name": _NAME, "key": KEY, **_POSTED}, *_POSTED),
        "FlagPatch": {
            "anyOf": [
                ref("SemanticPatch"),
                open_object({"patch": _OPERATIONS, "comment": _TEXT}, "comment"),
                _OPERATIONS,
            ]
        },
    }
)
