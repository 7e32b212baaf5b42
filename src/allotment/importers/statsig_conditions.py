"""Statsig's conditions: those on what is known of a user, and those on a bucket.

Statsig turns most values into text or numbers before it compares them. Here values are compared as
they are: `converted` says whether a condition does such a thing, and a note then says what to send.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from allotment.importers.patterns import check_pattern
from allotment.importers.payload import PayloadPart, array, refuse
from allotment.importers.values import ordered, scalar_of
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, Not, Operator
from allotment.model.slots import Range, Ranges, join

BUCKETS: Final = 1_000
EVERYONE: Final = AllOf(())
NO_ONE: Final = AnyOf(())

_NUMERIC: Final = {
    "lt": Operator.LESS,
    "lte": Operator.AT_MOST,
    "gt": Operator.GREATER,
    "gte": Operator.AT_LEAST,
}
_BOUNDS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
# A pattern for each operator that takes no notice of case.
_FOLDED: Final = {
    "any": r"(?i)\A(?:{})\z",
    "str_starts_with_any": r"(?i)\A(?:{})",
    "str_ends_with_any": r"(?i)(?:{})\z",
    "str_contains_any": r"(?i)(?:{})",
}
_NEGATED: Final = {
    "none": "any",
    "none_case_sensitive": "any_case_sensitive",
    "str_contains_none": "str_contains_any",
    "neq": "eq",
}
# Fields have several spellings.
_FIELDS: Final = {
    "userid": "userID",
    "user_id": "userID",
    "email": "email",
    "ip": "ip",
    "ipaddress": "ip",
    "ip_address": "ip",
    "country": "country",
    "locale": "locale",
    "useragent": "userAgent",
    "user_agent": "userAgent",
    "appversion": "appVersion",
    "app_version": "appVersion",
}


class StatsigCondition(PayloadPart, frozen=True):
    """One condition of a rule."""

    type: str
    target_value: Any = None
    operator: str | None = None
    field: str | None = None
    additional_values: dict[str, Any] | None = None
    id_type: str | None = None
    is_device_based: bool | None = None

    @property
    def kind(self) -> str:
        """What is compared, in one spelling."""
        return self.type.lower()

    @property
    def unit(self) -> str:
        """The kind of unit that a bucket is of."""
        return unit_of(self.id_type)


def unit_of(id_type: str | None) -> str:
    """The kind of unit that an idType names."""
    return "userID" if id_type is None or id_type.lower() == "userid" else id_type


def buckets_of(condition: StatsigCondition, path: str) -> tuple[str, Ranges]:
    """The salt of a condition on a bucket, and the buckets that meet it."""
    salt, target = (condition.additional_values or {}).get("salt"), condition.target_value
    word = condition.operator or ""
    if not isinstance(salt, str):
        refuse(f"{path}.additionalValues", "a bucket has a salt")
    if word in _BOUNDS and isinstance(target, int | float) and not isinstance(target, bool):
        meets = [number for number in range(BUCKETS) if _BOUNDS[word](number, target)]
    elif word in {"any", "none"}:
        named = {number for number in array(target, f"{path}.targetValue") if type(number) is int}
        meets = [number for number in range(BUCKETS) if (number in named) is (word == "any")]
    else:
        refuse(f"{path}.operator", f"a bucket is not compared by {word!r} here")
    return salt, join(Range(number, number + 1) for number in meets)


@dataclass(slots=True)
class StatsigReader:
    """Reads conditions on what is known of a user."""

    converted: bool = False

    def read(self, condition: StatsigCondition, path: str) -> Condition:
        """The condition; raises LeftOut for what cannot be said."""
        if condition.kind == "public":
            return EVERYONE
        if condition.kind == "user_field":
            field = condition.field or ""
            name = _FIELDS.get(field.lower(), field)
        elif condition.kind == "unit_id":
            name = condition.unit
        else:
            refuse(f"{path}.type", f"{condition.type} has no equal here")
        if not name:
            refuse(f"{path}.field", "the field has no name")
        word = condition.operator or ""
        found = self._compared((name,), _NEGATED.get(word, word), condition.target_value, path)
        return Not(found) if word in _NEGATED else found

    def _compared(self, steps: tuple[str, ...], word: str, target: Any, path: str) -> Condition:
        here = f"{path}.targetValue"
        if word == "eq" and target is None:
            return Not(Clause(steps, Operator.EXISTS))
        self.converted = True
        if word == "eq":
            return Clause(steps, Operator.IN, (scalar_of(target, here),))
        if word in _NUMERIC:
            return Clause(steps, _NUMERIC[word], (ordered(target, here),))
        if word == "str_matches":
            pattern = target if isinstance(target, str) else refuse(here, "a pattern is text")
            check_pattern(pattern, here)
            return Clause(steps, Operator.MATCHES, (pattern,))
        if word != "any_case_sensitive" and word not in _FOLDED:
            refuse(f"{path}.operator", f"{word!r} has no equal here")
        texts = [_text(value, here) for value in array(target, here)]
        if not texts:
            return NO_ONE
        if word == "any_case_sensitive":
            return Clause(steps, Operator.IN, tuple(texts))
        return Clause(steps, Operator.MATCHES, _patterns(_FOLDED[word], texts, here))


def _patterns(form: str, texts: Sequence[str], path: str) -> tuple[str, ...]:
    for text in texts:
        if not text.isascii():
            refuse(path, "the platform's own SDKs do not agree on the case of this text")
    return tuple(form.format(re.escape(text)) for text in texts)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) and type(value) is not int:
        refuse(path, "text is compared with text")
    return str(value)
