"""Types of fields that several nouns have, links, errors, and what every patch and list has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import WithJsonSchema

from allotment.dialects.launchdarkly.codes import INVALID
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, WHOLE, Body, Model, not_blank, refused
from allotment.model.limits import (
    EXPERIMENTS_MAX,
    KEY_BYTES_MAX,
    NAME_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
)
from allotment.model.text import check_description, check_key, check_name

T = TypeVar("T")

TEXT_MAX: Final = 1_024
ITEMS_MAX: Final = 100
INSTRUCTIONS_MAX: Final = 100

# What every JSON reader takes for the same whole number.
_WHOLE_MAX: Final = 2**53 - 1
_KEY: Final = f"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{KEY_BYTES_MAX - 1}}}$"


def words(*known: str) -> Any:
    """Some of the known words with commas between them, as a query has them."""

    def split(text: object) -> tuple[str, ...]:
        found = tuple(word.strip() for word in str(text).split(",") if word.strip())
        if not all(word in known for word in found):
            raise ValueError(f"one of {', '.join(known)} belongs here")
        return found

    return BeforeValidator(split)


Key = Annotated[
    str,
    Field(json_schema_extra={"pattern": _KEY}),
    AfterValidator(lambda text: check_key(text, "")),
]
Name = Annotated[
    str,
    Field(min_length=1, max_length=NAME_CHARACTERS_MAX),
    AfterValidator(lambda text: check_name(text, "")),
]
Description = Annotated[
    str,
    Field(max_length=TEXT_CHARACTERS_MAX),
    AfterValidator(lambda text: check_description(text, "")),
]
Text = Annotated[str, Field(max_length=TEXT_MAX)]
LongText = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]
# Text that may be anything but empty or blank, such as an id.
Word = Annotated[str, Field(min_length=1, max_length=TEXT_MAX), AfterValidator(not_blank)]
Words = Annotated[list[Word], Field(max_length=ITEMS_MAX)]
Percent = Annotated[int, Field(ge=0, le=100), WHOLE]
Whole = Annotated[int, Field(ge=0, le=_WHOLE_MAX), WHOLE]
Positive = Annotated[int, Field(ge=1, le=_WHOLE_MAX), WHOLE]
Moment = Annotated[int, Field(description="Milliseconds since 1970, UTC.")]
Id = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{24}$"})]
ListedWords = WithJsonSchema({"type": "string", "description": "Words with commas between them."})


class LDConstant(Model):
    """A part of an answer; what is the same in every answer is a default, and always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class LDLink(Model):
    """Where something is."""

    href: str
    type: Literal["application/json"]


Links = dict[str, LDLink]


class LDError(Model):
    """The body of every error."""

    code: str
    message: str
    id: str


class LDBody(Body):
    """A part of a body: fields that are not known are ignored, and null is as if left out."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _check_fields(cls, value: Any) -> Any:
        return value


class LDPatch(LDBody):
    """What every semantic patch has; each declares its `instructions`."""

    comment: LongText | None = LEFT_OUT

    not_understood: ClassVar = 'this is no semantic patch: {"instructions": [...]} belongs here'

    @model_validator(mode="before")
    @classmethod
    def _check_fields(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("instructions"), list):
            raise refused(INVALID, cls.not_understood, 422)
        return value


# How many instructions a patch has.
SOME: Final = Field(min_length=1, max_length=INSTRUCTIONS_MAX)


class LDUpdateDescription(LDBody):
    """Describes a noun."""

    kind: Literal["updateDescription"]
    value: Description


class LDUpdateName(LDBody):
    """Names a noun."""

    kind: Literal["updateName"]
    value: Name


class LDWindow(Body):
    """The query of a list that comes in windows."""

    limit: Annotated[int, Field(ge=1, le=1_000), DIGITS] = 20
    offset: Annotated[int, Field(ge=0, le=EXPERIMENTS_MAX), DIGITS] = 0

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Those of the items that are in the window."""
        return items[self.offset : self.offset + self.limit]

    def beside(self) -> dict[str, str]:
        """What the query says beside the window."""
        return self.model_dump(exclude={"limit", "offset"})


class LDWindowed(Model):
    """What a list that comes in windows has beside its items."""

    totalCount: int
    links: Links = Field(alias="_links")
