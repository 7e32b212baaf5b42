"""Types of fields that several nouns have, errors, and what every query of a list has."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.wire.ecmascript import ecmascript
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe, Model, Update, not_blank

TAKE: Final = 25
TAKE_MAX: Final = 50

# The vendor's pattern: no space at either end, no NUL, one line.
LINE: Final = r"^(?!.*\x00)\S(.*\S)?$"
_LINE: Final = ecmascript(LINE)

# All nouns are of the first type; the second is for those that the vendor makes.
Type = Literal["self", "auth0"]


def _one_line(text: str) -> str:
    if not _LINE.search(text):
        raise ValueError("one line without spaces at its ends belongs here")
    return text


def _id(prefix: str) -> Any:
    pattern = f"^{prefix}_[A-HJ-NP-Za-km-z1-9]{{22}}$"
    # An id of another form names nothing, which is for the catalog to say.
    return Field(min_length=1, max_length=64, json_schema_extra={"pattern": pattern})


ExperimentId = Annotated[str, _id("exp"), AfterValidator(not_blank)]
FlagId = Annotated[str, _id("flg"), AfterValidator(not_blank)]
VariationId = Annotated[str, _id("var"), AfterValidator(not_blank)]
SegmentId = Annotated[str, _id("seg"), AfterValidator(not_blank)]

_Line = Annotated[str, Field(json_schema_extra={"pattern": LINE}), AfterValidator(_one_line)]
Name = Annotated[_Line, Field(min_length=3, max_length=255)]
Text = Annotated[_Line, Field(min_length=3, max_length=1024)]
ShownName = Annotated[str, Field(description="The key, where there is no name.")]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Next = Annotated[Maybe[str], Field(description="The `from` of the next page; none at the end.")]


class Auth0Error(Model):
    """The body of every error."""

    statusCode: int
    error: Annotated[str, Field(description="The status in words.")]
    message: str
    errorCode: Annotated[str, Field(json_schema_extra={"pattern": "^[a-z0-9_]+$"})]


class Auth0Labels(Body):
    """What the body has that creates any noun."""

    name: Name
    description: Maybe[Text] = LEFT_OUT


class Auth0LabelsUpdate(Update):
    """What the body has that updates any noun; null clears the description."""

    name: Maybe[Name] = LEFT_OUT
    description: Text | None = LEFT_OUT


class Auth0Query(Body):
    """The query of a list that comes in pages."""

    after: Annotated[
        Maybe[Annotated[str, Field(min_length=1, max_length=1024)]], Field(alias="from")
    ] = LEFT_OUT
    take: Annotated[int, Field(ge=1, le=TAKE_MAX), DIGITS] = TAKE
