"""The bodies of OFREP: what is read and answered, and what the document says of it.

Names and shapes are those of the protocol (OFREP 0.3.0).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType


class OfrepRequest(Struct, forbid_unknown_fields=True):
    """Whom flags are evaluated for."""

    context: Annotated[
        dict[str, Any],
        Meta(
            description="`targetingKey` is the key of the unit, of whatever kind an experiment"
            " randomises. `targetingKeys`, keys by kind, stands in its place where experiments"
            " randomise several kinds. All other members are attributes, nested as they come: at"
            " most 64 KiB of JSON, 32 deep.",
            examples=[{"targetingKey": "user-1", "country": "SE"}],
            extra_json_schema={"additionalProperties": True},
        ),
    ] = msgspec.field(default_factory=dict)


class OfrepMetadata(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Where a value comes from; a client makes an exposure of it."""

    reason: Annotated[
        str | UnsetType,
        Meta(description="Allotment's own reason; absent where the flag has no experiments."),
    ] = UNSET
    experiment: Annotated[
        str | UnsetType, Meta(description="Whose treatment it is; absent for the flag's default.")
    ] = UNSET
    treatment: str | UnsetType = UNSET
    iteration: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    revision: Annotated[
        int | UnsetType,
        Meta(description="The revision since which the flag answers as it does."),
    ] = UNSET


class OfrepEvaluation(Struct, forbid_unknown_fields=True):
    """What a flag evaluates to."""

    key: str
    reason: Annotated[
        str,
        Meta(
            description="An OpenFeature reason.",
            extra_json_schema={
                "enum": ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"]
            },
        ),
    ]
    variant: Annotated[str, Meta(description="The variation's key.")]
    metadata: OfrepMetadata
    value: Annotated[
        Any,
        Meta(description="The variation's value; absent where the client has a default of its own"),
    ] = UNSET


class OfrepFailure(Struct, forbid_unknown_fields=True):
    """Why there is no value."""

    errorCode: Annotated[  # noqa: N815  # the protocol's name
        str,
        Meta(
            extra_json_schema={
                "enum": [
                    "PARSE_ERROR",
                    "TARGETING_KEY_MISSING",
                    "INVALID_CONTEXT",
                    "FLAG_NOT_FOUND",
                    "GENERAL",
                ]
            }
        ),
    ]
    errorDetails: str  # noqa: N815  # the protocol's name
    key: Annotated[str | UnsetType, Meta(description="The flag, where one was asked for.")] = UNSET


class OfrepEndpoint(Struct, forbid_unknown_fields=True):
    """An address without its origin, which is the server's own."""

    requestUri: str  # noqa: N815  # the protocol's name


class OfrepEventStream(Struct, forbid_unknown_fields=True):
    """The stream that makes a client ask again. Its address is a secret, for one to two hours."""

    type: str
    endpoint: OfrepEndpoint
    inactivityDelaySec: int  # noqa: N815  # the protocol's name


class OfrepFlags(Struct, forbid_unknown_fields=True):
    """What all flags of a space evaluate to for one context."""

    flags: Annotated[
        list[Any],
        Meta(
            description="By key.",
            extra_json_schema={
                "items": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/OfrepEvaluation"},
                        {"$ref": "#/components/schemas/OfrepFailure"},
                    ]
                }
            },
        ),
    ]
    metadata: Annotated[
        dict[str, int], Meta(description="`revision` is the one that is answered from.")
    ]
    eventStreams: list[OfrepEventStream]  # noqa: N815  # the protocol's name
