"""Optimizely: a datafile in memory, decisions without events and without variables."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

from optimizely.decision.optimizely_decide_option import OptimizelyDecideOption
from optimizely.optimizely import Optimizely

_NUMBERS = {"control": "1", "blue": "2", "green": "3"}


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    traffic = [
        {"entityId": _NUMBERS[name], "endOfRange": end}
        for name, end in zip(shares, accumulate(shares.values()), strict=True)
    ]
    variations = [
        {"id": _NUMBERS[name], "key": name, "featureEnabled": True, "variables": []}
        for name in shares
    ]
    audiences = [
        {
            "id": f"a-{name}",
            "name": name,
            "conditions": [
                "or",
                *(
                    {"type": "custom_attribute", "name": "country", "match": "exact", "value": each}
                    for each in countries
                ),
            ],
        }
        for name, countries in experiments.items()
    ]
    rules = [
        {
            "id": f"e-{name}",
            "key": f"e-{name}",
            "layerId": "1",
            "status": "Running",
            "variations": variations,
            "trafficAllocation": traffic,
            "audienceIds": [f"a-{name}"],
            "forcedVariations": {},
        }
        for name in experiments
    ]
    flags = [
        {
            "id": name,
            "key": name,
            "experimentIds": [f"e-{name}"],
            "rolloutId": "",
            "variables": [],
        }
        for name in experiments
    ]
    head = {"version": "4", "accountId": "1", "projectId": "1", "revision": "1"}
    lists = {"groups": [], "events": [], "attributes": [], "audiences": [], "rollouts": []}
    datafile = {
        **head,
        **lists,
        "typedAudiences": audiences,
        "experiments": rules,
        "featureFlags": flags,
    }
    options = [
        OptimizelyDecideOption.DISABLE_DECISION_EVENT,
        OptimizelyDecideOption.EXCLUDE_VARIABLES,
    ]
    client = Optimizely(json.dumps(datafile), default_decide_options=options)

    def single(country: str, units: list[str]) -> list[Any]:
        return [
            client.create_user_context(unit, {"country": country}).decide("exp_0").variation_key
            for unit in units
        ]

    def every(country: str, units: list[str]) -> list[Any]:
        return [
            client.create_user_context(unit, {"country": country}).decide_all() for unit in units
        ]

    def row(decisions: Any) -> list[Any]:
        return [decisions[name].variation_key for name in experiments]

    return {"single": single, "all": every, "row": row}
