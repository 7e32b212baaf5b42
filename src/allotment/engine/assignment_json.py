"""An assignment as JSON: what the server answers, and `Engine.assign_all_json`."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from allotment.model.assignment import Assignment, Reason

TO_KEEP: Final = (
    "Whether the experiment keeps first assignments and this one is not stored: the client stores"
    " it, or the store is away."
)

Variations = Annotated[
    dict[str, str], Meta(description="Flag to variation, as the treatment sets them.")
]

_encode: Final = msgspec.json.Encoder().encode


class AssignmentBody(Struct, forbid_unknown_fields=True):
    """What a unit gets in one experiment."""

    treatment: str | None
    reason: Reason
    variations: Variations
    is_control: bool
    iteration: Annotated[int, Meta(ge=0)]
    revision: Annotated[
        int,
        Meta(ge=0, description="The revision since which the experiment answers as it does."),
    ]
    to_keep: Annotated[bool, Meta(description=TO_KEEP)]

    @classmethod
    def of(cls, given: Assignment) -> AssignmentBody:
        """An assignment, without the experiment's key."""
        return cls(
            given.treatment,
            given.reason,
            dict(given.variations),
            given.is_control,
            given.iteration,
            given.revision,
            given.to_keep,
        )


def member_of(given: Assignment) -> bytes:
    """An assignment as a member of a JSON object, by its experiment."""
    return b"%b:%b" % (_encode(given.experiment), _encode(AssignmentBody.of(given)))
