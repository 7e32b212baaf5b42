"""JSON Schemas of the plain form of commands and nouns, read from the classes themselves."""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from allotment.model.keyed import Keyed
from allotment.model.plain import PPM
from allotment.model.segment import IdList

_SCALARS: Final[dict[object, str]] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    float: "number",
    type(None): "null",
}

_SHARE: Final = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$", "examples": ["12.5%"]}


class PlainSchemas:
    """Schemas by the name of the class; `of` adds those that a type leads to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def of(self, wanted: Any) -> dict[str, Any]:
        """The schema of a type's plain form."""
        origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
        if wanted in _SCALARS:
            return {"type": _SCALARS[wanted]}
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.of(argument) for argument in arguments]}
        if wanted is IdList:
            return {"type": "array", "items": {"type": "string", "minLength": 1}}
        if origin is Keyed:
            return {"type": "object", "additionalProperties": self.of(arguments[0])}
        if origin is tuple and arguments[-1:] == (...,):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is tuple:
            return self._row(arguments)
        if issubclass(wanted, tuple):
            return self._row(tuple(typing.get_type_hints(wanted).values()))
        if issubclass(wanted, Enum):
            return {"enum": [each.value for each in wanted]}
        return self._named(wanted)

    def _row(self, types_: tuple[Any, ...]) -> dict[str, Any]:
        items = [self.of(each) for each in types_]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}

    def _named(self, wanted: type) -> dict[str, Any]:
        assert is_dataclass(wanted), f"{wanted} has no plain form"
        name = wanted.__name__
        if name not in self.schemas:
            self.schemas[name] = {}  # a condition leads to itself
            self.schemas[name] = self._object(wanted)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, wanted: Any) -> dict[str, Any]:
        hints = typing.get_type_hints(wanted)
        given = [field for field in fields(wanted) if field.compare]
        needed = [f.name for f in given if f.default is MISSING and f.default_factory is MISSING]
        shares = [field.name for field in given if field.name.endswith(PPM)]
        schema = {
            "description": inspect.getdoc(wanted),
            "type": "object",
            "properties": {
                "is": {"const": wanted.__name__},
                **{field.name: self.of(hints[field.name]) for field in given},
                **{name.removesuffix(PPM): _SHARE for name in shares},
            },
            "required": ["is", *(name for name in needed if name not in shares)],
            "additionalProperties": False,
        }
        either = [
            {"oneOf": [{"required": [name]}, {"required": [name.removesuffix(PPM)]}]}
            for name in shares
            if name in needed
        ]
        return {**schema, "allOf": either} if either else schema
