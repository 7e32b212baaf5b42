"""Asks the real Python client what each line of the input asks.

A line is [flag, default, targeting key or null, attributes]; an answer [value, variant, reason,
error code, metadata]. It needs openfeature-provider-ofrep alone, in whose environment it runs.
"""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

url, token = sys.argv[1:]
api.set_provider(OFREPProvider(url, headers_factory=lambda: {"Authorization": f"Bearer {token}"}))
client = api.get_client()
ASK = {
    bool: client.get_boolean_details,
    str: client.get_string_details,
    int: client.get_integer_details,
    float: client.get_float_details,
    dict: client.get_object_details,
}

for line in sys.stdin:
    flag, default, key, attributes = json.loads(line)
    context = None if key is None else EvaluationContext(key, attributes)
    found = ASK[type(default)](flag, default, context)
    reason = None if found.reason is None else str(found.reason.value)
    code = None if found.error_code is None else found.error_code.value
    print(json.dumps([found.value, found.variant, reason, code, dict(found.flag_metadata)]))
