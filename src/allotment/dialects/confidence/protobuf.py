"""Messages of protocol buffers, as JSON has them.

A field's name is taken in lowerCamelCase and in snake_case. An update changes what a field mask
names, or else what its body gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, TypeVar, Union, get_args, get_origin

from pydantic import ConfigDict, Field, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from allotment.dialects.wire.mask import WHOLE, Part, Shape, camel, implied, masked, read_mask
from allotment.dialects.wire.model import LEFT_OUT, UNKNOWN, Body, Update, misplaced, read
from allotment.dialects.wire.source import Tree, alike, step
from allotment.errors import InvalidInput

M = TypeVar("M", bound="Message")

_MASK_MAX = 16_384


class Message(Body):
    """A message.

    output_only  fields of its answers that a request may repeat and never sets
    elsewhere    fields that are set in another way, with what to do
    whole        whether a mask replaces it whole, or names its fields
    """

    output_only: ClassVar[tuple[str, ...]] = ()
    elsewhere: ClassVar[Mapping[str, str]] = {}
    whole: ClassVar[bool] = False

    @classmethod
    def checked(cls, value: Any) -> Any:
        """The fields that are set, of those that may be sent."""
        if not isinstance(value, dict):
            return value
        for name, why in cls.elsewhere.items():
            if name in value:
                raise misplaced(step("", name), why)
        written = {name: each for name, each in value.items() if name not in cls.output_only}
        return super().checked(written)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler(schema)
        own = handler.resolve_ref_schema(made)
        for name in cls.output_only:
            own["properties"].setdefault(name, {"description": "Output only."})
        return made


class Open(Message):
    """What is kept as it comes: these are the fields that the vendor names, and there may be more.

    It is never made: it says how fields are spelled, and documents them.
    """

    model_config = ConfigDict(extra="allow")


class OneOf(Message):
    """A message of which one field is given."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    whole: ClassVar = True

    @classmethod
    def checked(cls, value: Any) -> Any:
        """The one field."""
        value = super().checked(value)
        if isinstance(value, dict) and len(value) != 1:
            raise ValueError(f"one of {', '.join(fields_of(cls))} belongs here, not {len(value)}")
        return value

    @property
    def only(self) -> tuple[str, Any]:
        """The field that is given, and its value."""
        (name,) = self.model_fields_set
        return name, getattr(self, name)


@dataclass(frozen=True, slots=True)
class As:
    """Marks a value that is kept as it comes: its fields are spelled as those of the message."""

    message: type[Message]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema of the message; of what may be anything, that or anything."""
        any_json = not handler(schema)
        made = handler(self.message.__pydantic_core_schema__)
        return {"anyOf": [made, {}]} if any_json else made


# Both spellings.


@cache
def fields_of(model: type[Message]) -> dict[str, tuple[Any, ...]]:
    """The fields that a request sets, by name, with what each may be: messages, lists, maps."""
    return {
        field.alias or name: tuple(forms_in(field)) for name, field in model.model_fields.items()
    }


def forms_in(annotation: Any) -> Iterator[Any]:
    """The forms that a value may have: messages, lists, maps, `str` and the like."""
    if isinstance(annotation, FieldInfo):
        annotation = Annotated[annotation.annotation, *annotation.metadata, "field"]
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        marked = [each.message for each in arguments[1:] if isinstance(each, As)]
        yield from marked or forms_in(arguments[0])
    elif get_origin(annotation) in (Union, UnionType):
        for each in arguments:
            yield from forms_in(each)
    elif annotation is not NoneType:
        yield annotation


def respelled(tree: Tree, model: type[Message]) -> Tree:
    """The tree with the message's fields in lowerCamelCase; keys that a request chooses stay.

    Raises InvalidInput for a field that is given in both spellings.
    """
    return _respelled(tree, (model,), "$")


def _respelled(tree: Tree, forms: tuple[Any, ...], path: str) -> Tree:
    for form in forms:
        origin = get_origin(form)
        if isinstance(tree, list) and origin is list:
            below = tuple(forms_in(get_args(form)[0]))
            return [_respelled(item, below, f"{path}[{n}]") for n, item in enumerate(tree)]
        if isinstance(tree, dict) and origin is dict:
            below = tuple(forms_in(get_args(form)[1]))
            return {key: _respelled(each, below, step(path, key)) for key, each in tree.items()}
        if isinstance(tree, dict) and _is_message(form):
            return _fields(tree, form, path)
    return tree


def _fields(tree: dict[str, Tree], model: type[Message], path: str) -> Tree:
    fields, found = fields_of(model), dict[str, Tree]()
    for name, value in tree.items():
        other = camel(name)
        known = other if other in fields or other in model.output_only else name
        here = step(path, known)
        if known in found:
            raise InvalidInput("this field is given in two spellings; keep one", here)
        found[known] = _respelled(value, fields.get(known, ()), here)
    return found


def _is_message(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, Message)


# Masks.


class ConfidenceMask(Body):
    """The query of an update: the paths that are set, with commas between them.

    Without a mask all that the body gives is set. `*` replaces all that can be.
    """

    updateMask: Annotated[str, Field(max_length=_MASK_MAX)] | None = LEFT_OUT


@cache
def shape_of(model: type[Message]) -> Shape:
    """What a mask may name in a message."""
    return {name: _part(forms) for name, forms in fields_of(model).items()}


def _part(forms: tuple[Any, ...]) -> Shape | Part:
    for form in forms:
        if _is_message(form) and not issubclass(form, Open):
            return Part.LEAF if form.whole else shape_of(form)
        if form is Any or get_origin(form) is dict or _is_message(form):
            return Part.OPEN
    return Part.LEAF


def _check_messages(tree: dict[str, Tree], shape: Shape, path: str) -> None:
    """Refuse what is no object where a message belongs, and fields that it does not have."""
    for name, value in tree.items():
        below, here = shape.get(name), step(path, name)
        if isinstance(below, Mapping) and value is not None:
            if not isinstance(value, dict):
                raise InvalidInput("an object belongs here", here)
            for field in value:
                if field not in below:
                    known = ", ".join(below)
                    raise InvalidInput(f"{UNKNOWN} {known}", step(here, field))
            _check_messages(value, below, here)


class Edit(Message, Update):
    """The body of an update. What it comes to change is set in it; a field that is cleared is None.

    Values are read once they are laid over what is shown: a part may say nothing by itself.
    """

    model_config = ConfigDict(json_schema_extra={})

    query: ClassVar = ConfidenceMask

    @classmethod
    def changes(cls, tree: Tree, shown: Mapping[str, Tree], query: Body | None) -> Self:
        """The fields that come to hold another value than is shown, each as a whole."""
        shape = shape_of(cls)
        if not isinstance(tree, dict):
            return read(cls, tree)
        read(cls, {name: value for name, value in tree.items() if name not in shape})
        _check_messages(tree, shape, "$")
        was: dict[str, Tree] = {name: shown[name] for name in shape if name in shown}
        said: dict[str, Tree] = {name: tree[name] for name in shape if name in tree}
        mask = query.updateMask if isinstance(query, ConfidenceMask) else None
        paths = read_mask(mask, shape)
        if paths is None:
            paths = implied(said, shape)
        wanted = masked(was, said, [(name,) for name in shape] if WHOLE in paths else paths)
        found = wanted if isinstance(wanted, dict) else {}
        return read(
            cls,
            {name: found.get(name) for name in shape if not alike(found.get(name), was.get(name))},
        )
