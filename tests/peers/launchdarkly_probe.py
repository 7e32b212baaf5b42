"""Asks LaunchDarkly's SDK, with a file for its data, and answers on standard output as JSON."""

import json
import sys
import tempfile

from ldclient.client import LDClient
from ldclient.config import Config
from ldclient.context import Context
from ldclient.integrations import Files

asked = json.load(sys.stdin)
with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    json.dump(asked["payload"], file)
    file.flush()
    source = Files.new_data_source(paths=[file.name])
    config = Config("sdk-key", update_processor_class=source, send_events=False)
    client = LDClient(config, start_wait=10)
    assert client.is_initialized()
    answers = []
    for key, attributes in asked["units"]:
        builder = Context.builder(key)
        for name, value in attributes.items():
            builder.set(name, value)
        context = builder.build()
        assert context.valid, context.error
        answers.append(
            [client.variation(flag, context, asked["default"]) for flag in asked["flags"]]
        )
    client.close()
json.dump(answers, sys.stdout)
