"""Asks Eppo's SDK, with a configuration in memory, and answers on standard output as JSON."""

import json
import sys

import eppo_client

asked = json.load(sys.stdin)
text = json.dumps(asked["payload"]).encode()
client = eppo_client.init(
    eppo_client.ClientConfig(
        api_key="none",
        base_url="http://localhost:1",
        assignment_logger=eppo_client.AssignmentLogger(),
        poll_interval_seconds=None,
        initial_configuration=eppo_client.Configuration(flags_configuration=text),
    )
)
answers = [
    [
        client.get_string_assignment(flag, unit, attributes, asked["default"])
        for flag in asked["flags"]
    ]
    for unit, attributes in asked["units"]
]
json.dump(answers, sys.stdout)
