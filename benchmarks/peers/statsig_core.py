"""Statsig: its core in Rust, config specs from a data store, without network, exposures off."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

from statsig_python_core import (
    DataStore,
    DataStoreResponse,
    ExperimentEvaluationOptions,
    Statsig,
    StatsigOptions,
    StatsigUser,
)


class Memory(DataStore):
    """Holds the specs."""

    specs = ""

    def get(self, _: str) -> DataStoreResponse:
        return DataStoreResponse(result=self.specs, time=2)


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    ends = list(zip(shares, accumulate(shares.values()), strict=True))
    conditions: dict[str, Any] = {}
    configs: dict[str, Any] = {}
    for name, countries in experiments.items():
        conditions[f"{name}-country"] = {
            "type": "user_field",
            "field": "country",
            "operator": "any_case_sensitive",
            "targetValue": countries,
            "additionalValues": {},
            "isDeviceBased": False,
            "idType": "userID",
        }
        rules = []
        for treatment, end in ends:
            conditions[f"{name}-{treatment}"] = {
                "type": "user_bucket",
                "operator": "lt",
                "targetValue": end // 10,
                "field": None,
                "additionalValues": {"salt": name},
                "isDeviceBased": False,
                "idType": "userID",
            }
            rules.append(
                {
                    "name": treatment,
                    "id": treatment,
                    "salt": treatment,
                    "passPercentage": 100,
                    "conditions": [f"{name}-country", f"{name}-{treatment}"],
                    "returnValue": {"treatment": treatment},
                    "idType": "userID",
                    "isExperimentGroup": True,
                }
            )
        configs[name] = {
            "type": "dynamic_config",
            "entity": "experiment",
            "salt": name,
            "enabled": True,
            "isActive": True,
            "defaultValue": {},
            "idType": "userID",
            "rules": rules,
            "version": 1,
            "explicitParameters": [],
            "hasSharedParams": False,
        }
    store = Memory()
    store.specs = json.dumps(
        {
            "has_updates": True,
            "time": 1,
            "feature_gates": {},
            "dynamic_configs": configs,
            "layer_configs": {},
            "condition_map": conditions,
            "experiment_to_layer": {},
            "company_id": "c",
            "response_format": "dcs-v2",
        }
    )
    options = StatsigOptions(data_store=store, disable_network=True, disable_all_logging=True)
    client = Statsig("secret-key", options)
    client.initialize().wait()
    quiet = ExperimentEvaluationOptions(disable_exposure_logging=True)

    def single(country: str, units: list[str]) -> list[Any]:
        return [
            client.get_experiment(
                StatsigUser(user_id=unit, custom={"country": country}), "exp_0", quiet
            ).value.get("treatment")
            for unit in units
        ]

    def every(country: str, units: list[str]) -> list[Any]:
        ask = client.get_client_initialize_response
        return [
            ask(StatsigUser(user_id=unit, custom={"country": country}), hash="none")
            for unit in units
        ]

    def row(answer: str) -> list[Any]:
        found = json.loads(answer)["dynamic_configs"]
        return [found[name]["value"].get("treatment") for name in experiments]

    def close() -> None:
        client.shutdown().wait()

    return {"single": single, "all": every, "row": row, "close": close}
