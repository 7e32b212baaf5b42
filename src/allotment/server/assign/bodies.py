"""The bodies of the assignment paths: what is read and answered, and what the document says of it.

Requests are read strictly. Of a name that an object has twice the last one counts.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allotment.engine.assignment_json import TO_KEEP, AssignmentBody, Variations
from allotment.model.assignment import Reason

_MAYBE_KEY: Final = {
    "oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}],
}

Unit = Annotated[
    str | int | dict[str, str | int],
    Meta(
        description="What is randomised: a key of 1 to 1,024 bytes of UTF-8, an integer standing"
        " for its decimal text; or keys by kind, where experiments randomise several kinds. An"
        " empty or longer key is answered with the reason NO_UNIT.",
        examples=["user-1"],
    ),
]
Attributes = Annotated[
    dict[str, Any],
    Meta(
        description="What is known of the unit, nested as it comes: at most 64 KiB of JSON, 32"
        " deep.",
        examples=[{"country": "SE"}],
        extra_json_schema={"additionalProperties": True},
    ),
]
Revision = Annotated[int, Meta(ge=0)]
_Default = Annotated[list[str] | UnsetType, Meta(description="Default: all of them.")]


class AssignRequest(Struct, forbid_unknown_fields=True):
    """One unit before one experiment, before some, or, where none is named, before all."""

    unit: Unit
    attributes: Attributes | None = None
    experiment: str | UnsetType = UNSET
    experiments: list[str] | UnsetType = UNSET
    stored: Annotated[
        dict[str, str] | None,
        Meta(
            description="Treatments that the client keeps itself, by experiment: the store neither"
            " reads nor stores those. Text that is no treatment means none."
        ),
    ] = None


class ResolveRequest(Struct, forbid_unknown_fields=True):
    """One unit and one flag, some, or, where none is named, all.

    Without a unit, experiments answer NO_UNIT, and a flag has its value for that.
    """

    unit: Unit = msgspec.field(default_factory=dict)
    attributes: Attributes | None = None
    flag: str | UnsetType = UNSET
    flags: list[str] | UnsetType = UNSET


class ExplainRequest(Struct, forbid_unknown_fields=True):
    """One unit before one experiment, now or as it stood at an earlier revision."""

    experiment: str
    unit: Unit
    attributes: Attributes | None = None
    stored: Annotated[
        str | None,
        Meta(description="A treatment to take for the kept one; default: what is kept."),
    ] = None
    revision: Annotated[
        Annotated[int, Meta(ge=1, le=10**17)] | UnsetType,
        Meta(description="Explain it as the catalog stood then; default: as it stands now."),
    ] = UNSET


class BatchRequest(Struct, forbid_unknown_fields=True):
    """A whole document of units."""

    units: Annotated[
        list[Any],
        Meta(
            description="What is no unit is answered with the reason NO_UNIT.",
            examples=[["user-1", "user-2"]],
        ),
    ]
    attributes: Annotated[
        list[dict[str, Any] | None] | dict[str, list[Any]] | None,
        Meta(
            description="A mapping a unit, or a column of values an attribute: as many as there are"
            " units.",
            examples=[[{"country": "SE"}, {"country": "NO"}]],
        ),
    ] = None
    experiments: _Default = UNSET


class AssignAnswer(Struct, forbid_unknown_fields=True):
    """Assignments of one unit."""

    revision: Revision
    assignments: Annotated[
        dict[str, AssignmentBody],
        Meta(description="By experiment. One that does not exist has UNKNOWN_EXPERIMENT."),
    ]


class ResolutionBody(Struct, forbid_unknown_fields=True):
    """What a flag resolves to."""

    value: Annotated[Any, Meta(description="The variation's value, of whatever type.")]
    variation: str | None
    experiment: Annotated[
        str | None, Meta(description="Whose treatment it is; null for the flag's default.")
    ]
    treatment: str | None
    reason: Annotated[
        Reason | None, Meta(description="That of the last experiment that was asked.")
    ]


class ResolveAnswer(Struct, forbid_unknown_fields=True):
    """Flags' values for one unit."""

    revision: Revision
    resolutions: Annotated[
        dict[str, ResolutionBody],
        Meta(description="By flag. All is null for a flag that does not exist."),
    ]


class CheckBody(Struct, forbid_unknown_fields=True):
    """One check of an explanation."""

    name: str
    applies: bool
    draw: Annotated[
        Annotated[str, Meta(pattern="^[0-9a-f]{16}$")] | None,
        Meta(description="64 bits, hexadecimal, as JSON numbers hold only 53."),
    ]
    bucket: Annotated[int, Meta(ge=0)] | None
    buckets: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="How many there are: natively 1,000,000, by another profile its own."),
    ]
    bound: Annotated[str, Meta(description="What it is held against, in words.")]
    outcome: str
    decided: bool


class ExplainAnswer(Struct, forbid_unknown_fields=True):
    """Why a unit gets what it gets."""

    revision: Revision
    experiment: str
    assignment: AssignmentBody
    checks: Annotated[list[CheckBody], Meta(description="Every check in the order of asking.")]


class MeaningBody(Struct, forbid_unknown_fields=True):
    """What the answers of one experiment mean."""

    iteration: Annotated[int, Meta(ge=1)]
    revision: Revision
    control: str | None
    treatments: Annotated[
        dict[str, Variations], Meta(description="The variations that each treatment sets.")
    ]


class UnitAssignment(Struct, forbid_unknown_fields=True):
    """What one unit of a batch gets in one experiment."""

    treatment: str | None
    reason: Reason
    to_keep: Annotated[
        bool | UnsetType, Meta(description=TO_KEEP, extra_json_schema={"const": True})
    ] = UNSET


class UnitAnswer(Struct, forbid_unknown_fields=True):
    """What one unit of a batch gets."""

    unit: Annotated[
        Any,
        Meta(
            description="The unit; null in the place of what is no key.",
            extra_json_schema={
                "oneOf": [
                    *_MAYBE_KEY["oneOf"],
                    {"type": "object", "additionalProperties": _MAYBE_KEY},
                ]
            },
        ),
    ]
    assignments: dict[str, UnitAssignment]


class UnitFault(Struct, forbid_unknown_fields=True):
    """Why a line could not be read as a unit."""

    detail: str


class UnitFailed(Struct, forbid_unknown_fields=True):
    """Stands in the place of a unit whose line could not be read."""

    error: UnitFault


class BatchAnswer(Struct, forbid_unknown_fields=True):
    """What the units of a batch get."""

    revision: Revision
    experiments: Annotated[
        dict[str, MeaningBody],
        Meta(description="What the answers of each experiment mean."),
    ]
    units: Annotated[
        list[Any],
        Meta(
            description="In the order of the request.",
            extra_json_schema={
                "items": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/UnitAnswer"},
                        {"$ref": "#/components/schemas/UnitFailed"},
                    ]
                }
            },
        ),
    ]
