"""PostHog: local evaluation of definitions in memory, which sends no events."""

from __future__ import annotations

import logging
from typing import Any

from posthog import Posthog

logging.disable()


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    variants = [{"key": name, "rollout_percentage": share / 100} for name, share in shares.items()]
    client = Posthog(
        "key", host="http://localhost:1", disabled=False, enable_local_evaluation=False
    )
    client.feature_flags = [
        {
            "id": number,
            "key": name,
            "active": True,
            "filters": {
                "groups": [
                    {
                        "properties": [
                            {
                                "key": "country",
                                "operator": "exact",
                                "type": "person",
                                "value": countries,
                            }
                        ],
                        "rollout_percentage": 100,
                    }
                ],
                "multivariate": {"variants": variants},
            },
        }
        for number, (name, countries) in enumerate(experiments.items())
    ]
    ask = client.get_all_flags

    def single(country: str, units: list[str]) -> list[Any]:
        return [
            ask(
                unit,
                person_properties={"country": country},
                only_evaluate_locally=True,
                flag_keys_to_evaluate=["exp_0"],
            )["exp_0"]
            or None
            for unit in units
        ]

    def every(country: str, units: list[str]) -> list[Any]:
        return [
            ask(unit, person_properties={"country": country}, only_evaluate_locally=True)
            for unit in units
        ]

    def row(flags: Any) -> list[Any]:
        return [flags[name] or None for name in experiments]

    return {"single": single, "all": every, "row": row, "close": client.shutdown}
