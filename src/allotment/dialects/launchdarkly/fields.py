"""Types of fields that several nouns have, and what every body is."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import WithJsonSchema

from allotment.dialects.wire.model import NOT_BLANK, WHOLE, Body, Model
from allotment.model.limits import KEY_BYTES_MAX, NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from allotment.model.text import check_description, check_key, check_name

TEXT_MAX: Final = 1_024
ITEMS_MAX: Final = 100

# What every JSON reader takes for the same whole number.
WHOLE_MAX: Final = 2**53 - 1

# How a noun draws where the request does not say.
UNIT: Final = "user"

_KEY: Final = f"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{KEY_BYTES_MAX - 1}}}$"


def words(*known: str) -> Any:
    """Some of the known words with commas between them, as a query has them."""

    def split(text: object) -> tuple[str, ...]:
        found = tuple(word.strip() for word in str(text).split(",") if word.strip())
        if not all(word in known for word in found):
            raise ValueError(f"one of {', '.join(known)} belongs here")
        return found

    return BeforeValidator(split)


ListedWords = WithJsonSchema({"type": "string", "description": "Words with commas between them."})
Key = Annotated[
    str,
    Field(json_schema_extra={"pattern": _KEY}),
    AfterValidator(lambda text: check_key(text, "")),
]
# A name that may be empty.
Label = Annotated[str, AfterValidator(lambda text: check_name(text, ""))]
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
Word = Annotated[str, Field(min_length=1, max_length=TEXT_MAX), NOT_BLANK]
Words = Annotated[list[Word], Field(max_length=ITEMS_MAX)]
# Each of them once.
Tags = Annotated[Words, AfterValidator(lambda tags: list(dict.fromkeys(tags)))]
Percent = Annotated[int, Field(ge=0, le=100), WHOLE]
Whole = Annotated[int, Field(ge=0, le=WHOLE_MAX), WHOLE]
Positive = Annotated[int, Field(ge=1, le=WHOLE_MAX), WHOLE]
Moment = Annotated[int, Field(description="Milliseconds since 1970, UTC.")]
Id = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{24}$"})]


class LDConstant(Model):
    """A part of an answer; what is the same in every answer is a default, and always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class LDBody(Body):
    """A part of a body: fields that are not known are ignored, and null is as if left out."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _check_fields(cls, value: Any) -> Any:
        return value
