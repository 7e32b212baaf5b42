"""What one writes by hand: a hash with mmh3, a bucket, and a comparison with each bound."""

from __future__ import annotations

import sys
from itertools import accumulate
from typing import Any


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    hash_ = sys.modules["mmh3"].hash  # the runner has it for the reference
    bounds = list(zip(accumulate(shares.values()), shares, strict=True))
    asked = {name: frozenset(countries) for name, countries in experiments.items()}

    def dealt(name: str, unit: str, attributes: dict[str, str]) -> str | None:
        if attributes["country"] not in asked[name]:
            return None
        bucket = hash_(f"{name}:{unit}", 0, False) % 10_000
        for bound, treatment in bounds:
            if bucket < bound:
                return treatment
        return None

    def single(country: str, units: list[str]) -> list[str | None]:
        return [dealt("exp_0", unit, {"country": country}) for unit in units]

    def every(country: str, units: list[str]) -> list[list[str | None]]:
        return [
            [dealt(name, unit, attributes) for name in asked]
            for unit in units
            for attributes in [{"country": country}]
        ]

    return {"single": single, "all": every}
