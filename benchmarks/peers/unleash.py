"""Unleash: Yggdrasil, the engine in its SDKs, without their metrics."""

from __future__ import annotations

import json
from typing import Any

from yggdrasil_engine.engine import UnleashEngine


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    variants = [
        {"name": name, "weight": share // 10, "weightType": "fix", "stickiness": "userId"}
        for name, share in shares.items()
    ]
    features = [
        {
            "name": name,
            "enabled": True,
            "variants": variants,
            "strategies": [
                {
                    "name": "flexibleRollout",
                    "parameters": {"rollout": "100", "stickiness": "userId", "groupId": name},
                    "constraints": [
                        {"contextName": "country", "operator": "IN", "values": countries}
                    ],
                }
            ],
        }
        for name, countries in experiments.items()
    ]
    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 2, "features": features}))

    def asked(name: str, context: dict[str, Any]) -> str | None:
        variant = engine.get_variant(name, context).variant
        return variant.name if variant.enabled else None

    def single(country: str, units: list[str]) -> list[Any]:
        return [
            asked("exp_0", {"userId": unit, "properties": {"country": country}}) for unit in units
        ]

    def every(country: str, units: list[str]) -> list[Any]:
        return [
            [asked(name, context) for name in experiments]
            for unit in units
            for context in [{"userId": unit, "properties": {"country": country}}]
        ]

    return {"single": single, "all": every}
