"""flagd: the evaluator in its provider for Python, in process."""

from __future__ import annotations

import json
import logging
from typing import Any

from openfeature.contrib.tools.flagd.core.flagd_core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

logging.disable()


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    fractional = [[name, share // 100] for name, share in shares.items()]
    flags = {
        name: {
            "state": "ENABLED",
            "variants": {**{each: each for each in shares}, "none": ""},
            "defaultVariant": "none",
            "targeting": {
                "if": [
                    {"in": [{"var": "country"}, countries]},
                    {"fractional": fractional},
                    "none",
                ]
            },
        }
        for name, countries in experiments.items()
    }
    core = FlagdCore()
    core.set_flags(json.dumps({"flags": flags}))
    ask = core.resolve_string_value

    def single(country: str, units: list[str]) -> list[Any]:
        return [
            ask("exp_0", "", EvaluationContext(unit, {"country": country})).value or None
            for unit in units
        ]

    def every(country: str, units: list[str]) -> list[Any]:
        return [
            [ask(name, "", context).value or None for name in experiments]
            for unit in units
            for context in [EvaluationContext(unit, {"country": country})]
        ]

    return {"single": single, "all": every}
