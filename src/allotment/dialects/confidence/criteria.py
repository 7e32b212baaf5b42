"""Fields of a segment's targeting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from allotment.dialects.confidence.fields import Name, pattern
from allotment.dialects.confidence.protobuf import Message, OneOf
from allotment.dialects.wire.model import LEFT_OUT, NOT_BLANK, Maybe, Number, misplaced, must, never
from allotment.dialects.wire.notes import json_text
from allotment.model.limits import CLAUSE_VALUES_MAX, KEPT_CHARACTERS_MAX, KEY_BYTES_MAX, RULES_MAX

SEGMENT: Final = "segments/"

_COMPARED_MAX: Final = 1_024
_STARTS: Final = ("startInclusive", "startExclusive")


_NOT_COMPARED: Final = never("this kind of value is not compared here; text, a number or so is")
_NOT_SAID: Final = never("that every item of a list meets a rule cannot be said here")
_NOT_THERE: Final = never("there are no materialized segments here")

_REFUSED: Final = Field(description="Refused.")
Compared = Annotated[str, Field(max_length=_COMPARED_MAX)]


# What an attribute is compared with, and how.


class ConfidenceVersion(Message):
    """A version."""

    version: Annotated[str, Field(min_length=1, max_length=_COMPARED_MAX)]


class ConfidenceValues(Message):
    """A list of values."""

    values: list[ConfidenceValue]


class ConfidenceValue(OneOf):
    """A value of one kind."""

    boolValue: Maybe[bool] = LEFT_OUT
    numberValue: Maybe[Number] = LEFT_OUT
    stringValue: Maybe[Compared] = LEFT_OUT
    timestampValue: Annotated[Maybe[str], _NOT_COMPARED, _REFUSED] = LEFT_OUT
    versionValue: Maybe[ConfidenceVersion] = LEFT_OUT
    listValue: Annotated[Maybe[ConfidenceValues], _NOT_COMPARED, _REFUSED] = LEFT_OUT


ConfidenceValues.model_rebuild()


class ConfidenceEqRule(Message):
    """The attribute is the value."""

    value: ConfidenceValue


class ConfidenceSetRule(Message):
    """The attribute is one of the values."""

    values: Annotated[list[ConfidenceValue], Field(min_length=1, max_length=CLAUSE_VALUES_MAX)]

    @model_validator(mode="after")
    def _check_kinds(self) -> Self:
        if len({one.only[0] == "versionValue" for one in self.values}) > 1:
            raise ValueError("versions and other values do not go into one rule")
        return self


class ConfidenceRangeRule(Message):
    """The attribute lies between two numbers, or versions."""

    startInclusive: Maybe[ConfidenceValue] = LEFT_OUT
    startExclusive: Maybe[ConfidenceValue] = LEFT_OUT
    endInclusive: Maybe[ConfidenceValue] = LEFT_OUT
    endExclusive: Maybe[ConfidenceValue] = LEFT_OUT

    @property
    def bounds(self) -> list[tuple[str, ConfidenceValue]]:
        """Those that are given, the start first."""
        every = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, value) for name, value in every if value is not None]

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if not 1 <= len(self.bounds) <= 2:
            raise ValueError(f"1 to 2 entries belong here, not {len(self.bounds)}")
        if len({name in _STARTS for name, _ in self.bounds}) != len(self.bounds):
            raise ValueError("a range has one start, one end, or both")
        for name, value in self.bounds:
            if value.only[0] not in ("numberValue", "versionValue"):
                raise misplaced(f".{name}", "a range is of numbers or of versions")
        return self


class ConfidenceTextRule(Message):
    """A part of the attribute's text."""

    value: Compared


class ConfidenceRules(Message):
    """What an attribute, or each item of a list, is asked for."""

    eqRule: Maybe[ConfidenceEqRule] = LEFT_OUT
    setRule: Maybe[ConfidenceSetRule] = LEFT_OUT
    rangeRule: Maybe[ConfidenceRangeRule] = LEFT_OUT
    startsWithRule: Maybe[ConfidenceTextRule] = LEFT_OUT
    endsWithRule: Maybe[ConfidenceTextRule] = LEFT_OUT
    containsRule: Maybe[ConfidenceTextRule] = LEFT_OUT


class ConfidenceInnerRule(OneOf, ConfidenceRules):
    """A rule for each item of a list."""


class ConfidenceListRule(Message):
    """A rule for the items of a list."""

    rule: ConfidenceInnerRule


class ConfidenceAttribute(ConfidenceRules):
    """An attribute, with one rule; what no rule can say is shown without one."""

    attributeName: Annotated[
        Name,
        must(lambda name: all(name.split(".")), "no step of an attribute's path is empty"),
    ]
    anyRule: Maybe[ConfidenceListRule] = LEFT_OUT
    allRule: Annotated[Maybe[ConfidenceListRule], _NOT_SAID, _REFUSED] = LEFT_OUT

    @property
    def rules(self) -> list[tuple[str, Any]]:
        """Those that are given."""
        return [(name, each) for name, each in self if name.endswith("Rule") and each is not None]

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if len(self.rules) != 1:
            known = (name for name in type(self).model_fields if name.endswith("Rule"))
            raise ValueError(f"one rule belongs here: {', '.join(known)}")
        return self


class ConfidenceInSegment(Message):
    """Another segment."""

    segment: Annotated[
        str,
        Field(min_length=1, max_length=len(SEGMENT) + KEY_BYTES_MAX),
        pattern("^segments/"),
        must(lambda name: name.startswith(SEGMENT), "a segment's name begins with segments/"),
    ]


class ConfidenceMaterialized(Message):
    """A segment that is a list of units."""

    materializedSegment: str


class ConfidenceCriterion(OneOf):
    """What is asked of a unit."""

    attribute: Maybe[ConfidenceAttribute] = LEFT_OUT
    segment: Maybe[ConfidenceInSegment] = LEFT_OUT
    materializedSegment: Annotated[Maybe[ConfidenceMaterialized], _NOT_THERE, _REFUSED] = LEFT_OUT


class ConfidenceOperands(Message):
    """Several expressions."""

    operands: Maybe[list[ConfidenceExpression]] = LEFT_OUT


class ConfidenceExpression(OneOf):
    """How criteria go together."""

    ref: Maybe[Annotated[str, Field(min_length=1), NOT_BLANK]] = LEFT_OUT
    not_: Annotated[Maybe[ConfidenceExpression], Field(alias="not")] = LEFT_OUT
    and_: Annotated[Maybe[ConfidenceOperands], Field(alias="and")] = LEFT_OUT
    or_: Annotated[Maybe[ConfidenceOperands], Field(alias="or")] = LEFT_OUT

    def refs(self, path: str) -> Iterator[tuple[str, str]]:
        """The criteria that it names, and where."""
        word, inner = self.only
        path = f"{path}.{word.rstrip('_')}"
        if isinstance(inner, str):
            yield inner, path
        elif isinstance(inner, ConfidenceExpression):
            yield from inner.refs(path)
        else:
            for index, one in enumerate(inner.operands or ()):
                yield from one.refs(f"{path}.operands[{index}]")


for _each in (ConfidenceOperands, ConfidenceExpression):
    _each.model_rebuild()


class ConfidenceTargeting(Message):
    """Criteria by name, and an expression over them; one that says nothing lets everyone in."""

    criteria: Maybe[Annotated[dict[str, ConfidenceCriterion], Field(max_length=RULES_MAX)]] = (
        LEFT_OUT
    )
    expression: Annotated[
        Maybe[ConfidenceExpression], BeforeValidator(lambda value: None if value == {} else value)
    ] = LEFT_OUT

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(json_text(self.plain())) > KEPT_CHARACTERS_MAX:
            raise ValueError(f"a targeting has at most {KEPT_CHARACTERS_MAX:,} characters as JSON")
        criteria: Mapping[str, Any] = self.criteria or {}
        if self.expression is None and criteria:
            message = "an expression says how the criteria go together; give one"
            raise misplaced(".expression", message)
        for name, path in self.expression.refs(".expression") if self.expression else ():
            if name not in criteria:
                raise misplaced(path, "there is no criterion of this name")
        return self
