"""Flagsmith: the engine of its SDKs for local evaluation, which answers all features at once."""

from __future__ import annotations

from typing import Any

from flag_engine.engine import get_evaluation_result


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    variants = [
        {"value": name, "weight": share / 100, "priority": place}
        for place, (name, share) in enumerate(shares.items())
    ]
    features = {
        name: {"key": name, "name": name, "enabled": True, "value": None} for name in experiments
    }
    segments = {
        name: {
            "key": name,
            "name": name,
            "rules": [
                {
                    "type": "ALL",
                    "conditions": [{"property": "country", "operator": "IN", "value": countries}],
                }
            ],
            "overrides": [{**features[name], "variants": variants}],
        }
        for name, countries in experiments.items()
    }
    environment = {
        "environment": {"key": "e", "name": "e"},
        "features": features,
        "segments": segments,
    }

    def every(country: str, units: list[str]) -> list[Any]:
        return [
            get_evaluation_result(
                {
                    **environment,
                    "identity": {"identifier": unit, "key": unit, "traits": {"country": country}},
                }
            )
            for unit in units
        ]

    def row(result: Any) -> list[Any]:
        return [result["flags"][name]["value"] for name in experiments]

    return {"all": every, "row": row}
