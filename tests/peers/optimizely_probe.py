"""Asks Optimizely's SDK, with a datafile in memory, and answers on standard output as JSON."""

import json
import sys

from optimizely import optimizely
from optimizely.decision.optimizely_decide_option import OptimizelyDecideOption
from optimizely.event.event_processor import ForwardingEventProcessor

asked = json.load(sys.stdin)


class Nowhere(ForwardingEventProcessor):
    """Sends nothing."""

    def __init__(self):
        pass

    def process(self, user_event):
        pass


client = optimizely.Optimizely(
    datafile=json.dumps(asked["payload"]),
    event_processor=Nowhere(),
    default_decide_options=[OptimizelyDecideOption.DISABLE_DECISION_EVENT],
)
assert client.is_valid
flags = {flag["key"] for flag in asked["payload"]["featureFlags"]}


def answer(key, user, attributes):
    """What a flag answers, or the variation of an experiment that is in none."""
    if key not in flags:
        variation = client.get_variation(key, user, attributes)
        return asked["default"] if variation is None else variation
    decided = client.create_user_context(user, attributes).decide(key)
    return [decided.variation_key, {"enabled": decided.enabled, "variables": decided.variables}]


answers = [
    [answer(key, unit, attributes) for key in asked["flags"]] for unit, attributes in asked["units"]
]
json.dump(answers, sys.stdout)
