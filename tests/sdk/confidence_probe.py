"""Ask a server with the real spotify-confidence-sdk, and print what it says as JSON.

    python confidence_probe.py URL < questions

Each question is a JSON list: the client secret, the flag's key, the default (its type is what is
asked for), and the context. Each line that is printed is the value, the variant, the reason and the
code of an error.
"""

import json
import logging
import sys

from confidence.confidence import Confidence
from confidence.openfeature_provider import ConfidenceOpenFeatureProvider
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

logging.disable(logging.CRITICAL)
METHODS = {
    bool: "get_boolean_details",
    str: "get_string_details",
    int: "get_integer_details",
    float: "get_float_details",
    dict: "get_object_details",
}
for line in sys.stdin:
    secret, flag, default, context = json.loads(line)
    confidence = Confidence(secret, custom_resolve_base_url=sys.argv[1], disable_telemetry=False)
    api.set_provider(ConfidenceOpenFeatureProvider(confidence))
    key = context.pop("targeting_key", None)
    details = getattr(api.get_client(), METHODS[type(default)])(
        flag, default, EvaluationContext(targeting_key=key, attributes=context)
    )
    code = details.error_code and details.error_code.value
    print(json.dumps([details.value, details.variant, str(details.reason), code]))
