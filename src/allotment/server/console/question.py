"""What the page "Why?" is asked: a unit, its attributes, and of what at which revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from allotment.dialects.wire.model import Body
from allotment.errors import InvalidInput
from allotment.server.assign.reading import read_attributes
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import whole

PAIRS: Final = 4

_Line = Annotated[str, Field(max_length=4096)]


class AttributesQuery(Body):
    """A unit as a form was filled in. Attributes are JSON, and beside that pairs of a path and a
    value."""

    unit: _Line = ""
    attributes: str = ""
    a1: _Line = ""
    v1: _Line = ""
    a2: _Line = ""
    v2: _Line = ""
    a3: _Line = ""
    v3: _Line = ""
    a4: _Line = ""
    v4: _Line = ""

    @property
    def pairs(self) -> Iterator[tuple[int, str, str]]:
        """The pairs, counted from 1."""
        for number in range(1, PAIRS + 1):
            yield number, getattr(self, f"a{number}"), getattr(self, f"v{number}")


class WhyQuery(AttributesQuery):
    """A unit, and what is asked about it."""

    experiment: _Line = ""
    flag: _Line = ""
    revision: _Line = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. Without an experiment and a flag it is about all experiments.

    `revision` None is the one that is served; `text` is as long as what was written.
    """

    unit: str
    experiment: str
    flag: str
    revision: int | None
    attributes: Mapping[str, Any]
    text: bytes


def read_question(query: AttributesQuery) -> Question:
    """The question; raises InvalidInput with the field of the fault."""
    attributes, text = _attributes(query)
    if not isinstance(query, WhyQuery):
        return Question(query.unit, "", "", None, attributes, text)
    if query.experiment and query.flag:
        raise InvalidInput("ask about an experiment or about a flag, not both", "query.flag")
    revision = None
    if query.revision:
        revision = whole(query.revision, "query.revision", 1, REVISION_MAX)
    return Question(query.unit, query.experiment, query.flag, revision, attributes, text)


def _attributes(query: AttributesQuery) -> tuple[dict[str, Any], bytes]:
    written = query.attributes.strip().encode()
    attributes = read_attributes(written) if written else {}
    for number, path, value in query.pairs:
        if path:
            _put(attributes, path, _value(value), f"query.a{number}")
        elif value:
            raise InvalidInput("this value has no attribute", f"query.v{number}")
    return attributes, msgspec.json.encode([query.unit, attributes])


def _put(attributes: dict[str, Any], path: str, value: object, where: str) -> None:
    *outer, last = path.split(".")
    inside: Any = attributes
    for step in outer:
        inside = inside.setdefault(step, {})
        if not isinstance(inside, dict):
            raise InvalidInput(f"{step!r} has a value already", where)
    if last in inside:
        raise InvalidInput("this attribute is given twice", where)
    inside[last] = value


def _value(text: str) -> object:
    """A value: JSON where it is JSON (18, true, ["a"], "18"), else the text itself."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
