"""What a segment's clauses must be: checked when a catalog comes in, before anything uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import assert_never

from allotment.errors import InvalidInput
from allotment.matching.clause import NUMBER_TESTS, SEMVER_TESTS
from allotment.matching.pattern import compile_pattern
from allotment.matching.semver import precedence
from allotment.model.limits import CLAUSE_VALUES_MAX, COMPARED_CHARACTERS_MAX
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Scalar,
    Segment,
)


def check_segments(segments: Mapping[str, Segment]) -> None:
    """Check every segment; raises InvalidInput with the path of the first fault."""
    for segment in segments.values():
        check_segment(segment)


def check_segment(segment: Segment) -> None:
    """Check the clauses of a segment's rules; raises InvalidInput with the path of the first fault.

    A path reads as the catalog file is written: `$.segments.nordics.rules[0].all[1].not.matches`.
    """
    for index, rule in enumerate(segment.rules):
        _check_condition(rule, f"$.segments.{segment.key}.rules[{index}]")


def _check_condition(condition: Condition, path: str) -> None:
    match condition:
        case Clause():
            _check_clause(condition, path)
        case AllOf(conditions):
            for index, each in enumerate(conditions):
                _check_condition(each, f"{path}.all[{index}]")
        case AnyOf(conditions):
            for index, each in enumerate(conditions):
                _check_condition(each, f"{path}.any[{index}]")
        case Not(inner):
            _check_condition(inner, f"{path}.not")
        case InSegment():
            pass
        case _:
            assert_never(condition)


def _check_clause(clause: Clause, path: str) -> None:
    if not clause.attribute or not all(clause.attribute):
        message = "an attribute is named by a path of one or more keys, none of them empty"
        raise InvalidInput(message, f"{path}.attribute")
    place = f"{path}.{clause.operator}"
    if clause.operator is Operator.EXISTS:
        if clause.values:
            raise InvalidInput("`exists` compares with nothing, so it takes no values", place)
        return
    if not clause.values:
        raise InvalidInput(f"`{clause.operator}` needs at least one value to compare with", place)
    if len(clause.values) > CLAUSE_VALUES_MAX:
        raise InvalidInput(
            f"a clause has at most {CLAUSE_VALUES_MAX:,} values, this one {len(clause.values):,}; "
            "long lists of unit keys belong in a segment's `include`",
            place,
        )
    for index, value in enumerate(clause.values):
        _check_value(clause.operator, value, f"{place}[{index}]" if index else place)


def _check_value(operator: Operator, value: Scalar, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput("NaN and the infinities compare with nothing useful", path)
    if operator is Operator.IN:
        return
    if operator in NUMBER_TESTS:
        if isinstance(value, str | bool):
            raise InvalidInput(f"`{operator}` compares numbers; this is {_said(value)}", path)
        return
    if not isinstance(value, str):
        raise InvalidInput(f"`{operator}` compares text; this is {_said(value)}", path)
    if len(value) > COMPARED_CHARACTERS_MAX:
        raise InvalidInput(
            f"`{operator}` compares with text of at most {COMPARED_CHARACTERS_MAX:,} characters; "
            f"this has {len(value):,}",
            path,
        )
    if operator in SEMVER_TESTS and precedence(value) is None:
        raise InvalidInput(f"{value!r} is no semantic version such as 1.20.3 or 2.0.0-rc.1", path)
    if operator is Operator.MATCHES:
        compile_pattern(value, path)


def _said(value: Scalar) -> str:
    return f"the {type(value).__name__} {value!r}"
