"""Asks Statsig's SDK, without its network, and answers on standard output as JSON."""

import json
import sys

from statsig import StatsigOptions, StatsigUser, statsig

asked = json.load(sys.stdin)
options = StatsigOptions(local_mode=True, bootstrap_values=json.dumps(asked["payload"]))
statsig.initialize("secret-key", options)
GATES = {gate["name"] for gate in asked["payload"]["feature_gates"]}


def answer(user, name):
    """A gate's truth value, or a config's value."""
    return statsig.check_gate(user, name) if name in GATES else statsig.get_config(user, name).value


answers = []
for key, attributes in asked["units"]:
    user = StatsigUser(key, custom=attributes)
    answers.append([answer(user, flag) for flag in asked["flags"]])
json.dump(answers, sys.stdout)
sys.stdout.flush()
statsig.shutdown()
