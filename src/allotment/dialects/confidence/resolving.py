"""Fields of `flags:resolve` and `flags:apply`, which clients call."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from allotment.dialects.confidence.fields import pattern
from allotment.dialects.confidence.protobuf import Message
from allotment.dialects.wire.model import LEFT_OUT, NOT_BLANK, Maybe, Model, must
from allotment.model.instant import read_instant

FLAGS_MAX: Final = 1_000

_NAME_MAX: Final = 1_024
_SECRET_MAX: Final = 4_096
_TIME_MAX: Final = 64
_FLAG: Final = "flags/"

# A time may have nine digits after its point; three of them are kept.
_FINER: Final = re.compile(r"(?<=\.\d{3})\d{1,6}(?=Z|[+-])")


def key_of(flag: str) -> str:
    """The key of the flag that a name like `flags/my-flag` names."""
    return flag.removeprefix(_FLAG)


def _time(text: Any) -> int:
    if not isinstance(text, str) or len(text) > _TIME_MAX:
        raise ValueError(f"a time of at most {_TIME_MAX} characters belongs here")
    return read_instant(_FINER.sub("", text), "")


FlagName = Annotated[
    str,
    Field(min_length=1, max_length=_NAME_MAX, examples=["flags/my-flag"]),
    pattern("^flags/."),
    NOT_BLANK,
    must(lambda name: key_of(name) not in (name, ""), "a name like flags/FLAG belongs here"),
]
Time = Annotated[
    int,
    BeforeValidator(_time),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-01-02T03:04:05.678Z"]}
    ),
]


class ConfidenceClient(Message):
    """Who calls."""

    clientSecret: Annotated[
        Annotated[str, Field(max_length=_SECRET_MAX)] | None,
        Field(description="A token; there is none in a header."),
    ] = LEFT_OUT
    sdk: Annotated[Any, Field(description="Which SDK calls; it is not looked at.")] = LEFT_OUT


class ConfidenceResolveRequest(ConfidenceClient):
    """The flags that are asked for, all where none is named, and what is known of the units."""

    evaluationContext: dict[str, Any] | None = LEFT_OUT
    apply: Maybe[bool] = LEFT_OUT
    flags: list[FlagName] | None = LEFT_OUT


class ConfidenceResolvedFlag(Model):
    """What a flag resolves to; a client has a value of its own where there is no variant."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    flag: FlagName
    variant: Annotated[str, Field(description="Empty where there is none.")] = ""
    value: dict[str, Any] | None = None
    flagSchema: dict[str, Any] | None = None
    reason: Literal[
        "RESOLVE_REASON_MATCH",
        "RESOLVE_REASON_NO_SEGMENT_MATCH",
        "RESOLVE_REASON_TARGETING_KEY_ERROR",
    ]
    shouldApply: bool = False
    assignmentOrigin: str = ""


class ConfidenceResolveResponse(Model):
    """What all flags resolve to; there is no token where that is applied already."""

    resolvedFlags: list[ConfidenceResolvedFlag]
    resolveToken: str
    resolveId: Annotated[str, pattern("^[0-9a-f]{32}$")]


class ConfidenceAppliedFlag(Message):
    """A flag that was shown, and when."""

    flag: FlagName
    applyTime: Time


class ConfidenceApplyRequest(ConfidenceClient):
    """The flags of an earlier resolve that were shown."""

    resolveToken: Annotated[str, Field(min_length=1), NOT_BLANK]
    sendTime: Time
    flags: Annotated[list[ConfidenceAppliedFlag], Field(max_length=FLAGS_MAX)] | None = LEFT_OUT
