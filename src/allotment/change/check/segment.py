"""What a segment must satisfy. Patterns and versions are read by `matching`, not here."""

from __future__ import annotations

import math
from collections.abc import Iterator

from allotment.change.check.label import check_labels
from allotment.change.check.reference import check_segments
from allotment.change.check.sample import check_sample
from allotment.change.check.stage import check_sampled
from allotment.change.kinds import noun_path
from allotment.change.references import named_segments, reach
from allotment.errors import InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.limits import (
    CLAUSE_VALUES_MAX,
    COMPARED_CHARACTERS_MAX,
    CONDITION_DEPTH_MAX,
    RULES_MAX,
)
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
    Segment,
)
from allotment.model.text import check_key

_NUMERIC = frozenset({Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST})


def check_segment(segment: Segment, path: str) -> None:
    """Check the segment in itself; raises InvalidInput or InvalidChange."""
    check_labels(segment, path)
    check_key(segment.unit, f"{path}.unit")
    if not isinstance(segment.include, IdList) or not isinstance(segment.exclude, IdList):
        raise InvalidInput("include and exclude are lists of ids", path)
    if len(segment.rules) > RULES_MAX:
        raise InvalidChange(
            f"a segment has at most {RULES_MAX:,} rules; this one has {len(segment.rules):,}",
            f"{path}.rules",
        )
    for condition, here in _walk(segment):
        if isinstance(condition, Clause):
            _check_clause(condition, here)
        elif isinstance(condition, InSegment):
            check_key(condition.segment, here)


def check_segment_within(segment: Segment, before: Catalog, catalog: Catalog) -> None:
    """Check what the segment names, that it does not lead back to itself, and who uses it."""
    for condition, here in _walk(segment):
        if isinstance(condition, InSegment):
            _check_named(segment, condition.segment, catalog, here)
    check_sample(segment, catalog)
    old = before.segments.get(segment.key)
    if old is None:
        return
    users = sorted(catalog.users.get(f"segment:{segment.key}", ()))
    if old.sample != segment.sample:
        for key in users:
            check_sampled(catalog.experiments[key], before, catalog)
    kind_matters = old.unit != segment.unit or old.include != segment.include
    kind_matters |= old.exclude != segment.exclude
    if kind_matters or named_segments(old.rules) != named_segments(segment.rules):
        for key in users:
            check_segments(catalog.experiments[key], catalog)


def _check_named(segment: Segment, named: str, catalog: Catalog, path: str) -> None:
    there = catalog.segments.get(named)
    if there is None:
        near = did_you_mean(named, catalog.segments)
        raise NotFound(f"there is no segment {named!r}{near}", path)
    if there.sample is not None:
        raise InvalidChange(
            f"segment {named!r} is a sample, which is an audience and nothing else", path
        )
    if segment.key in reach(catalog.segments, [named]):
        raise InvalidChange(f"segment {segment.key!r} leads back to itself through {named!r}", path)


def _walk(segment: Segment) -> Iterator[tuple[Condition, str]]:
    """Every condition with its path; raises InvalidChange at one that is nested too deep."""
    path = noun_path("segment", segment.key)
    pending = [(rule, f"{path}.rules[{i}]", 1) for i, rule in enumerate(segment.rules)][::-1]
    while pending:
        condition, here, depth = pending.pop()
        if depth > CONDITION_DEPTH_MAX:
            raise InvalidChange(f"conditions nest at most {CONDITION_DEPTH_MAX} deep", here)
        yield condition, here
        if isinstance(condition, AllOf | AnyOf):
            word = "all" if isinstance(condition, AllOf) else "any"
            inner = [
                (one, f"{here}.{word}[{index}]", depth + 1)
                for index, one in enumerate(condition.conditions)
            ]
            pending.extend(reversed(inner))
        elif isinstance(condition, Not):
            pending.append((condition.condition, f"{here}.not", depth + 1))
        elif not isinstance(condition, Clause | InSegment):
            raise InvalidInput(f"a condition is not a {type(condition).__name__}", here)


def _check_clause(clause: Clause, path: str) -> None:
    steps = clause.attribute
    if not steps or len(steps) > CONDITION_DEPTH_MAX:
        raise InvalidInput(f"an attribute's path has 1 to {CONDITION_DEPTH_MAX} steps", path)
    for step in steps:
        if not isinstance(step, str) or not step or not _is_unicode(step):
            raise InvalidInput("a step of an attribute's path is text, not empty", path)
    if clause.operator is Operator.EXISTS:
        if clause.values:
            raise InvalidInput("exists takes no values", path)
        return
    if not 1 <= len(clause.values) <= CLAUSE_VALUES_MAX:
        raise InvalidInput(
            f"{clause.operator} takes 1 to {CLAUSE_VALUES_MAX:,} values, not "
            f"{len(clause.values):,}",
            path,
        )
    for value in clause.values:
        _check_value(clause.operator, value, path)


def _check_value(operator: Operator, value: object, path: str) -> None:
    number = type(value) in (int, float)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput("a value is a finite number", path)
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise InvalidInput("a whole number has at most 64 bits", path)
    if isinstance(value, str) and not _is_unicode(value):
        raise InvalidInput("a value is valid Unicode; this holds a lone surrogate", path)
    if operator is Operator.IN:
        if not number and type(value) not in (str, bool):
            raise InvalidInput("a value is text, a number, true or false", path)
    elif operator in _NUMERIC:
        if not number:
            raise InvalidInput(f"{operator} compares with a number", path)
    elif type(value) is not str:
        raise InvalidInput(f"{operator} compares with text", path)
    elif len(value) > COMPARED_CHARACTERS_MAX:
        message = f"{operator} compares with text of at most {COMPARED_CHARACTERS_MAX:,} characters"
        raise InvalidInput(message, path)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
