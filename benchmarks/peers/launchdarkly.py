"""LaunchDarkly: data in memory, no events; a context a call, and `all_flags_state`."""

from __future__ import annotations

import json
import tempfile
from typing import Any

from ldclient.client import LDClient
from ldclient.config import Config
from ldclient.context import Context
from ldclient.integrations import Files


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    rollout = [
        {"variation": index, "weight": share * 10} for index, share in enumerate(shares.values())
    ]
    flags = {
        name: {
            "key": name,
            "on": True,
            "version": 1,
            "salt": name,
            "variations": [*shares, None],
            "offVariation": len(shares),
            "fallthrough": {"variation": len(shares)},
            "rules": [
                {
                    "id": "market",
                    "clauses": [{"attribute": "country", "op": "in", "values": countries}],
                    "rollout": {"variations": rollout},
                }
            ],
        }
        for name, countries in experiments.items()
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"flags": flags}, file)
        file.flush()
        source = Files.new_data_source(paths=[file.name])
        config = Config("sdk-key", update_processor_class=source, send_events=False)
        client = LDClient(config, start_wait=10)

    def context(country: str, unit: str) -> Context:
        return Context.builder(unit).set("country", country).build()

    def single(country: str, units: list[str]) -> list[Any]:
        return [client.variation("exp_0", context(country, unit), None) for unit in units]

    def every(country: str, units: list[str]) -> list[Any]:
        return [client.all_flags_state(context(country, unit)) for unit in units]

    def row(state: Any) -> list[Any]:
        values = state.to_values_map()
        return [values[name] for name in experiments]

    return {"single": single, "all": every, "row": row, "close": client.close}
