"""Types of fields that several nouns have, errors, and what every query of a list has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field

from allotment.dialects.wire.model import (
    DIGITS,
    LEFT_OUT,
    NOT_BLANK,
    Body,
    Maybe,
    Model,
    Update,
    must,
)
from allotment.dialects.wire.page import Page, page
from allotment.model.keyed import Keyed
from allotment.model.text import LINE_ENDS, WHITE_SPACE

# The patterns of the vendor's fields are ECMAScript's: what Python reads differently outside a
# set of characters.
_OURS: Final = {
    r"\s": f"[{WHITE_SPACE}]",
    r"\S": f"[^{WHITE_SPACE}]",
    ".": f"[^{LINE_ENDS}]",
    "$": r"\Z",
}
_TOKEN: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def ecmascript(pattern: str) -> re.Pattern[str]:
    """The pattern, to `search` with: it finds what a vendor's own check finds.

    Sets of characters stay as they are; white space in one is not taken. Digits and words are
    ASCII, as they are there.
    """
    parts = _TOKEN.findall(pattern)
    if any(part[0] == "[" and ("\\s" in part or "\\S" in part) for part in parts):
        raise ValueError("white space in a set of characters is not the same in both languages")
    return re.compile("".join(_OURS.get(part, part) for part in parts), re.ASCII)


V = TypeVar("V")

TAKE: Final = 25
TAKE_MAX: Final = 50

# The vendor's pattern: no space at either end, no NUL, one line.
LINE: Final = r"^(?!.*\x00)\S(.*\S)?$"

# All nouns are of the first type; the second is for those that the vendor makes.
Type = Literal["self", "auth0"]


def _id(prefix: str) -> Any:
    pattern = f"^{prefix}_[A-HJ-NP-Za-km-z1-9]{{22}}$"
    # An id of another form names nothing, which is for the catalog to say.
    return Field(min_length=1, max_length=64, json_schema_extra={"pattern": pattern})


ExperimentId = Annotated[str, _id("exp"), NOT_BLANK]
FlagId = Annotated[str, _id("flg"), NOT_BLANK]
VariationId = Annotated[str, _id("var"), NOT_BLANK]
SegmentId = Annotated[str, _id("seg"), NOT_BLANK]

_Line = Annotated[
    str,
    Field(json_schema_extra={"pattern": LINE}),
    must(ecmascript(LINE).search, "one line without spaces at its ends belongs here"),
]
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

    def page(self, name: str, nouns: Keyed[V], wanted: Callable[[V], bool]) -> Page[V]:
        """The page of the nouns that are wanted."""
        return page(name, nouns, wanted, self.take, self.after, path="query.from")


# The kind of unit whose experiments this API makes.
SUBJECT: Final = "device"
