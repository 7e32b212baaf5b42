"""The models of vendors' requests and answers: a field is declared once, in one of them.

A model reads a request's body or query (`read`, `read_update`), is what a view returns, and gives
the OpenAPI document its schemas. `Refusal` is what a vendor refuses by a rule of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, PydanticSerializationError

from allotment.dialects.wire.source import Tree, alike, step
from allotment.errors import InvalidChange, InvalidInput
from allotment.model.number import read_weight, read_whole
from allotment.model.text import is_blank

# Words for statuses for which a vendor publishes none.
WORDS: Final = {
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    412: "precondition_failed",
    413: "payload_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    431: "headers_too_large",
    503: "service_unavailable",
    507: "insufficient_storage",
}


class Refusal(InvalidChange):
    """A refusal that has its HTTP status and the vendor's code already."""

    def __init__(self, status: int, code: str, message: str, path: str = "") -> None:
        super().__init__(message, path, code=code)
        self.status_hint = status


T = TypeVar("T")
M = TypeVar("M", bound="Body")
U = TypeVar("U", bound="Update")


class Model(BaseModel):
    """A JSON object with the declared fields and no others; values are read strictly."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    def plain(self) -> dict[str, Any]:
        """The object as plain JSON values."""
        return self.model_dump(mode="json", by_alias=True)

    def json_bytes(self) -> bytes:
        """The object as JSON."""
        try:
            return self.model_dump_json(by_alias=True).encode()
        except PydanticSerializationError:
            # A kept value may hold half a surrogate pair, which JSON spells as an escape only.
            return json.dumps(self.plain(), separators=(",", ":")).encode()


class Body(Model):
    """A part of a request: a body, or a query."""

    @model_validator(mode="before")
    @classmethod
    def _check_fields(cls, value: Any) -> Any:
        return cls.checked(value)

    @classmethod
    def checked(cls, value: Any) -> Any:
        """Refuse unknown fields before any other fault, and null where it has no meaning."""
        if not isinstance(value, dict):
            return value
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        for name in value:
            if name not in fields:
                known = ", ".join(fields)
                raise misplaced(step("", name), f"{UNKNOWN} {known}")
        for name, field in fields.items():
            if value.get(name, ...) is None and any(isinstance(m, _Maybe) for m in field.metadata):
                raise misplaced(step("", name), "null does not belong here; leave the field out")
        return value


class Update(Body):
    """The body of an update: at least one field."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # How a field is compared with what is shown; as it is where this says nothing.
    compared: ClassVar[Mapping[str, Callable[[Tree], Tree]]] = {}

    # The query that such a request may have, which says what it changes.
    query: ClassVar[type[Body] | None] = None

    @classmethod
    def changes(cls, tree: Tree, shown: Mapping[str, Tree], _query: Body | None) -> Self:
        """What a request's JSON and its query change of a noun that is shown."""
        return read_update(cls, tree, shown)


# Field types.


class _Maybe:
    """Marks a field that may be left out, but is never null."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler(schema)
        given = [one for one in made.pop("anyOf", [{}]) if one != {"type": "null"}]
        return {**made, **given[0]} if len(given) == 1 else {**made, "anyOf": given}


# A field that may be left out and is never null. Its value is None where it is left out.
Maybe = Annotated[T | None, _Maybe()]


def _is_none(value: object) -> bool:
    return value is None


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


# The default of a field that may be left out: an answer leaves it out, and its schema shows none.
LEFT_OUT: Final[Any] = Field(default=None, exclude_if=_is_none, json_schema_extra=_without_default)


def _as_whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_decimal(value: Any) -> Any:
    return read_weight(_as_number(value), "")


def _as_digits(value: Any) -> Any:
    number = read_whole(value) if isinstance(value, str) else None
    if number is None:
        raise ValueError("a whole number belongs here")
    return number


def _as_int64(value: Any) -> Any:
    return _as_digits(value) if isinstance(value, str) else _as_whole(value)


def _as_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number belongs here")
    return value


def must(holds: Callable[[Any], object], message: str, code: str = "") -> AfterValidator:
    """Refuses a value of which this does not hold; with the vendor's code where one is given."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise refused(code, message) if code else ValueError(message)
        return value

    return AfterValidator(check)


def never(message: str, code: str = "") -> AfterValidator:
    """Refuses every value, as what has no meaning here."""
    return must(lambda _value: False, message, code)


# Text that is more than white space.
NOT_BLANK: Final = must(
    lambda text: not is_blank(text), "text that is not white space alone belongs here"
)

# A whole number. 2.0 is one, as JSON has one kind of number. Stands last, after any bounds.
WHOLE: Final = BeforeValidator(_as_whole)

# A number, exactly as it is written.
EXACT: Final = BeforeValidator(_as_decimal)

# A whole number as text, as a query has it.
DIGITS: Final = BeforeValidator(_as_digits)

# A whole number, or its digits as text, as protocol buffers' JSON has one of 64 bits.
INT64: Final = BeforeValidator(_as_int64)

# A number that stays as it is: 2 and 2.0 are not told apart, and both are given back.
Number = Annotated[int | float, BeforeValidator(_as_number), WithJsonSchema({"type": "number"})]


# Reading.


def read(model: type[M], tree: Tree, path: str = "$") -> M:
    """The model that a request's JSON is; `path` is where the JSON stands in errors.

    Raises InvalidInput with the path of the first fault, or Refusal where a validator gave the
    vendor's code. No message repeats what came in.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _refusal(first, tree, path) from None


def read_update(model: type[U], tree: Tree, shown: Mapping[str, Tree]) -> U:
    """The changes of an update: a field that is sent as it is `shown` is no change, and is unset.

    What a noun shows may be more than the API can set: it was made elsewhere. So such a field is
    compared before it is read. Raises what `read` raises, and InvalidInput for an empty object.
    """
    if tree == {}:
        known = ", ".join(model.model_fields)
        raise InvalidInput(f"give at least one of {known}", "$")
    if not isinstance(tree, dict):
        return read(model, tree)
    return read(
        model,
        {
            name: value
            for name, value in tree.items()
            if name not in model.model_fields
            or name not in shown
            or not _same(model, name, value, shown[name])
        },
    )


def refused(code: str, message: str, status: int = 400) -> PydanticCustomError:
    """What a validator raises to refuse a field with a vendor's code and status."""
    words = {"code": code, "message": message, "status": status}
    return PydanticCustomError("refused", "refused", words)


def misplaced(below: str, message: str) -> PydanticCustomError:
    """What a validator raises of something within its value; `below` is the path from there."""
    return PydanticCustomError("misplaced", "misplaced", {"below": below, "message": message})


def _same(model: type[Update], name: str, value: Tree, shown: Tree) -> bool:
    form = model.compared.get(name)
    return alike(form(value), form(shown)) if form else alike(value, shown)


def _refusal(error: ErrorDetails, tree: Tree, path: str) -> InvalidInput | Refusal:
    where = _path(path, error["loc"], tree, is_missing=error["type"] == "missing")
    context: dict[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "misplaced":
            return InvalidInput(context["message"], f"{where}{context['below']}")
        case "refused":
            return Refusal(context["status"], context["code"], context["message"], where)
        case "union_tag_invalid" | "union_tag_not_found":
            where = step(where, context["discriminator"].strip("'"))
            known = context.get("expected_tags")
            return InvalidInput(
                f"one of {known} belongs here" if known else "this is required", where
            )
        case "value_error":
            said = context["error"]
            return InvalidInput(getattr(said, "message", "") or str(said), where)
        case kind:
            sentence = _SENTENCES.get(kind, "another value belongs here")
            return InvalidInput(sentence.format_map(context), where)


UNKNOWN: Final = "this does not belong here; there may be"

_SENTENCES: Final = {
    "missing": "this is required",
    "model_type": "an object belongs here",
    "model_attributes_type": "an object belongs here",
    "dict_type": "an object belongs here",
    "list_type": "a list belongs here",
    "string_type": "text belongs here",
    "bool_type": "true or false belongs here",
    "int_type": "a whole number belongs here",
    "literal_error": "one of {expected} belongs here",
    "enum": "one of {expected} belongs here",
    "string_too_short": "at least {min_length:,} characters belong here",
    "string_too_long": "at most {max_length:,} characters belong here",
    "too_short": "at least {min_length:,} belong here, not {actual_length:,}",
    "too_long": "at most {max_length:,} belong here",
    "greater_than_equal": "a number of at least {ge:,} belongs here",
    "less_than_equal": "a number of at most {le:,} belongs here",
}


def _path(path: str, location: tuple[int | str, ...], tree: Tree, *, is_missing: bool) -> str:
    """The path of an error, without the names that pydantic gives the members of a union."""
    here: Any = tree
    for part in location:
        if isinstance(part, int):
            path, here = f"{path}[{part}]", here[part] if isinstance(here, list) else None
        elif isinstance(here, dict) and part in here:
            path, here = step(path, part), here[part]
    return step(path, str(location[-1])) if is_missing else path
