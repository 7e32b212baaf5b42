"""GrowthBook: one instance, its attributes set for each unit, and no tracking callback."""

from __future__ import annotations

from typing import Any

from growthbook import GrowthBook


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    weights = [share / 10_000 for share in shares.values()]
    features = {
        name: {
            "defaultValue": None,
            "rules": [
                {
                    "condition": {"country": {"$in": countries}},
                    "key": name,
                    "seed": name,
                    "hashVersion": 2,
                    "variations": list(shares),
                    "weights": weights,
                }
            ],
        }
        for name, countries in experiments.items()
    }
    growthbook = GrowthBook(features=features)

    def single(country: str, units: list[str]) -> list[Any]:
        found = []
        for unit in units:
            growthbook.set_attributes({"id": unit, "country": country})
            found.append(growthbook.get_feature_value("exp_0", None))
        return found

    def every(country: str, units: list[str]) -> list[Any]:
        found = []
        for unit in units:
            growthbook.set_attributes({"id": unit, "country": country})
            found.append([growthbook.get_feature_value(name, None) for name in experiments])
        return found

    return {"single": single, "all": every}
