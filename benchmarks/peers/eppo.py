"""Eppo: the configuration in memory, no polling, and a logger of assignments that does nothing."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import eppo_client


class Nothing(eppo_client.AssignmentLogger):
    def log_assignment(self, assignment: Any) -> None:
        pass


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    ends = list(accumulate(shares.values()))
    flags = {
        name: {
            "key": name,
            "enabled": True,
            "variationType": "STRING",
            "totalShards": 10_000,
            "variations": {each: {"key": each, "value": each} for each in shares},
            "allocations": [
                {
                    "key": "market",
                    "doLog": False,
                    "rules": [
                        {
                            "conditions": [
                                {"attribute": "country", "operator": "ONE_OF", "value": countries}
                            ]
                        }
                    ],
                    "splits": [
                        {
                            "variationKey": each,
                            "shards": [
                                {
                                    "salt": name,
                                    "ranges": [{"start": end - shares[each], "end": end}],
                                }
                            ],
                        }
                        for each, end in zip(shares, ends, strict=True)
                    ],
                }
            ],
        }
        for name, countries in experiments.items()
    }
    payload = {
        "createdAt": "2026-01-02T03:04:05.678Z",
        "format": "SERVER",
        "environment": {"name": "Test"},
        "flags": flags,
    }
    client = eppo_client.init(
        eppo_client.ClientConfig(
            api_key="none",
            base_url="http://localhost:1",
            assignment_logger=Nothing(),
            poll_interval_seconds=None,
            initial_configuration=eppo_client.Configuration(
                flags_configuration=json.dumps(payload).encode()
            ),
        )
    )

    def single(country: str, units: list[str]) -> list[Any]:
        ask = client.get_string_assignment
        return [ask("exp_0", unit, {"country": country}, "") or None for unit in units]

    def every(country: str, units: list[str]) -> list[Any]:
        ask = client.get_string_assignment
        return [
            [ask(name, unit, attributes, "") or None for name in experiments]
            for unit in units
            for attributes in [{"country": country}]
        ]

    return {"single": single, "all": every}
