"""Allotment, embedded: `assign`, `assign_all`, and `assign_many` over two lists."""

from __future__ import annotations

import json
from typing import Any

import allotment


def catalog(experiments: dict[str, list[str]], shares: dict[str, int]) -> str:
    """The experiments, each for a segment of its countries."""
    segments = {
        name: {"rules": [{"attribute": "country", "in": countries}]}
        for name, countries in experiments.items()
    }
    made = {
        name: {
            "state": "running",
            "audience": name,
            "treatments": {each: {"control": each == "control"} for each in shares},
            "allocations": [{"weights": shares, "of": 10_000}],
        }
        for name in experiments
    }
    return json.dumps({"allotment": 1, "segments": segments, "experiments": made})


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    engine = allotment.load(catalog(experiments, shares))

    def single(country: str, units: list[str]) -> list[Any]:
        assign = engine.assign
        return [assign("exp_0", unit, {"country": country}).treatment for unit in units]

    def every(country: str, units: list[str]) -> list[Any]:
        assign_all = engine.assign_all
        return [assign_all(unit, {"country": country}) for unit in units]

    def row(answers: Any) -> list[Any]:
        return [answers[name].treatment for name in experiments]

    def batch(table: tuple[list[str], list[str]]) -> Any:
        units, countries = table
        return engine.assign_many("exp_0", units, {"country": countries})

    return {"single": single, "all": every, "row": row, "batch": batch}
