"""The units that an evaluation context names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allotment.dialects.confidence.flags_rules import selector_of
from allotment.matching.field import lookup
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag
from allotment.model.limits import UNIT_KEY_BYTES_MAX


def units_of(context: Mapping[str, Any], flag: Flag, catalog: Catalog) -> dict[str, str] | None:
    """By kind, the units before the flag's experiments; None where one is nothing to go by.

    What is missing is no fault: its experiments give nothing. A whole number counts as its digits.
    """
    units: dict[str, str] = {}
    for place in flag.experiments:
        kind = catalog.experiments[place.experiment].unit
        value = lookup(context, tuple(selector_of(kind).split(".")))
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            return None
        text = str(value)
        if len(text.encode()) > UNIT_KEY_BYTES_MAX:
            return None
        units[kind] = text
    return units
