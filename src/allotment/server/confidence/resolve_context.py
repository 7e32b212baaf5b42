"""The units that an evaluation context names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from allotment.dialects.confidence.flags_rules import selector_of
from allotment.kernel.unit import unit_key
from allotment.matching.field import lookup
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag

_EXACT: Final = 2**53 - 1


def units_of(context: Mapping[str, Any], flag: Flag, catalog: Catalog) -> dict[str, str] | None:
    """By kind, the units before the flag's experiments; None where one is nothing to go by.

    What is missing is no fault: its experiments give nothing. A whole number counts as its digits,
    unless it may have lost some: a float above 2^53 - 1 stands for several whole numbers.
    """
    units: dict[str, str] = {}
    for place in flag.experiments:
        kind = catalog.experiments[place.experiment].unit
        value = lookup(context, tuple(selector_of(kind).split(".")))
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
            value = int(value)
        key = unit_key(value, kind) if isinstance(value, str | int) else None
        if key is None and value != "":
            return None
        units[kind] = key or ""
    return units
