"""Types of fields that several nouns have, errors, and what the query of every list has."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from allotment.dialects.confidence.schema.protobuf import Message
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Model, not_blank
from allotment.model.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX

SIZE: Final = 50
SIZE_MAX: Final = 1_000
ID_MAX: Final = 63

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]*\Z")


def _id(text: str) -> str:
    if not _ID.match(text):
        raise ValueError("an id is made of a to z, 0 to 9 and hyphens, and begins with no hyphen")
    return text


def new_id(least: int = 1) -> Any:
    """What bounds the id that a request chooses for a new noun."""
    form = f"^[a-z0-9][a-z0-9-]{{{least - 1},{ID_MAX - 1}}}$"
    return Field(min_length=least, max_length=ID_MAX, json_schema_extra={"pattern": form})


def pattern(text: str) -> Any:
    """The pattern of a resource's name, as an answer shows it."""
    return Field(json_schema_extra={"pattern": text})


IS_ID: Final = AfterValidator(_id)
Name = Annotated[str, Field(max_length=NAME_CHARACTERS_MAX)]
Label = Annotated[
    str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX), AfterValidator(not_blank)
]
Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Kept = Annotated[Any, Field(description="Kept as it is sent.")]


class ConfidenceError(Model):
    """The body of every error."""

    code: Annotated[int, Field(description="A code of gRPC.")]
    message: str
    details: list[dict[str, Any]]


class ConfidenceNothing(Message):
    """The body of a method that takes nothing, and the answer of what shows nothing."""


class ConfidenceOrigin(Model):
    """When a noun came and changed, and who did it."""

    createTime: Moment
    updateTime: Moment
    creator: str
    updater: str


# What a request may repeat of any answer.
OUTPUT_ONLY: Final = ("name", *ConfidenceOrigin.model_fields)


class ConfidencePage(Body):
    """The query of a list: at most so many, after the page that gave the token."""

    pageSize: Annotated[int, Field(ge=0, le=SIZE_MAX), DIGITS] | None = LEFT_OUT
    pageToken: Annotated[str, Field(max_length=1_024)] | None = LEFT_OUT

    @property
    def size(self) -> int:
        """How many belong on a page; 0 is as good as nothing."""
        return self.pageSize or SIZE

    @property
    def token(self) -> str | None:
        """The token of the page before; an empty one is as good as none."""
        return self.pageToken or None
