"""Allotment, embedded: `assign_many` over columns of Arrow, of which it gives a column."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pyarrow as pa

import allotment

_SPEC = spec_from_file_location("lists", Path(__file__).with_name("allotment_list.py"))
_LISTS: Any = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_LISTS)


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    engine = allotment.load(_LISTS.catalog(experiments, shares))

    def table(units: list[str], countries: list[str]) -> tuple[pa.Array, dict[str, pa.Array]]:
        return pa.array(units), {"country": pa.array(countries)}

    def batch(table: tuple[pa.Array, dict[str, pa.Array]]) -> Any:
        return engine.assign_many("exp_0", *table)

    return {"table": table, "batch": batch}
