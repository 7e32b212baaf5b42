"""Types of fields that several nouns have, errors, and what the query of every list has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from allotment.dialects.confidence.protobuf import Message
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, NOT_BLANK, Body, Model, must
from allotment.dialects.wire.page import Page, page
from allotment.model.keyed import Keyed
from allotment.model.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX

V = TypeVar("V")

SIZE: Final = 50
SIZE_MAX: Final = 1_000
ID_MAX: Final = 63


def id_form(least: int = 1) -> Any:
    """What bounds the id that a request chooses for a new noun."""
    form = f"^[a-z0-9][a-z0-9-]{{{least - 1},{ID_MAX - 1}}}$"
    return Field(min_length=least, max_length=ID_MAX, json_schema_extra={"pattern": form})


def pattern(text: str) -> Any:
    """The pattern of a resource's name, as an answer shows it."""
    return Field(json_schema_extra={"pattern": text})


IS_ID: Final = must(
    re.compile(r"[a-z0-9][a-z0-9-]*\Z").match,
    "an id is made of a to z, 0 to 9 and hyphens, and begins with no hyphen",
)
Name = Annotated[str, Field(max_length=NAME_CHARACTERS_MAX)]
Label = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX), NOT_BLANK]
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

    def page(self, name: str, nouns: Keyed[V], wanted: Callable[[V], bool]) -> Page[V]:
        """The page of the nouns that are wanted. A size of 0 and an empty token say nothing."""
        size, token = self.pageSize or SIZE, self.pageToken or None
        return page(name, nouns, wanted, size, token, path="query.pageToken")
