"""Statsig: the SDK in Python, in local mode, config specs in memory, exposures off."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

from statsig import HashingAlgorithm, StatsigOptions, StatsigUser, statsig


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    def rule(name: str, countries: list[str], treatment: str, end: int) -> dict[str, Any]:
        country = {
            "type": "user_field",
            "field": "country",
            "operator": "any_case_sensitive",
            "targetValue": countries,
        }
        bucket = {
            "type": "user_bucket",
            "operator": "lt",
            "targetValue": end // 10,
            "additionalValues": {"salt": name},
        }
        return {
            "name": treatment,
            "id": treatment,
            "salt": treatment,
            "passPercentage": 100,
            "conditions": [country, bucket],
            "returnValue": {"treatment": treatment},
            "idType": "userID",
        }

    ends = list(zip(shares, accumulate(shares.values()), strict=True))
    configs = [
        {
            "name": name,
            "type": "dynamic_config",
            "entity": "experiment",
            "salt": name,
            "enabled": True,
            "isActive": True,
            "defaultValue": {},
            "idType": "userID",
            "rules": [rule(name, countries, each, end) for each, end in ends],
        }
        for name, countries in experiments.items()
    ]
    specs = {
        "has_updates": True,
        "time": 1,
        "feature_gates": [],
        "dynamic_configs": configs,
        "layer_configs": [],
    }
    options = StatsigOptions(local_mode=True, bootstrap_values=json.dumps(specs))
    statsig.initialize("secret-key", options)

    def single(country: str, units: list[str]) -> list[Any]:
        ask = statsig.get_experiment_with_exposure_logging_disabled
        return [
            ask(StatsigUser(unit, custom={"country": country}), "exp_0").value.get("treatment")
            for unit in units
        ]

    def every(country: str, units: list[str]) -> list[Any]:
        ask = statsig.get_client_initialize_response
        return [
            ask(StatsigUser(unit, custom={"country": country}), hash=HashingAlgorithm.NONE)
            for unit in units
        ]

    def row(answer: Any) -> list[Any]:
        return [answer["dynamic_configs"][name]["value"].get("treatment") for name in experiments]

    return {"single": single, "all": every, "row": row, "close": statsig.shutdown}
