"""Asks the engine of Unleash's SDK, and answers on standard output as JSON.

The answer is the name of the variant; without one, "enabled" or "disabled".
"""

import json
import sys
from typing import Any

from yggdrasil_engine.engine import UnleashEngine

asked = json.load(sys.stdin)
engine = UnleashEngine()
engine.take_state(json.dumps(asked["payload"]))


def answer(flag: str, unit: str, attributes: dict[str, Any]) -> str:
    context = {"userId": unit, "properties": attributes}
    enabled = engine.is_enabled(flag, context).is_enabled
    variant = engine.get_variant(flag, context).variant
    if variant.enabled:
        return str(variant.name)
    return "enabled" if enabled else "disabled"


answers = [
    [answer(flag, unit, attributes) for flag in asked["flags"]]
    for unit, attributes in asked["units"]
]
json.dump(answers, sys.stdout)
