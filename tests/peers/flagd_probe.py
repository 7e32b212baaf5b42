"""Asks flagd's evaluator, of one of its versions, and answers on standard output as JSON.

Before it was a package of its own it was a part of the provider, where only its targeting can be
asked without a server.
"""

import json
import logging
import sys
from typing import Any

from openfeature.evaluation_context import EvaluationContext

logging.disable()
asked = json.load(sys.stdin)
flags = asked["payload"]["flags"]
try:
    from openfeature.contrib.tools.flagd.core.flagd_core import FlagdCore
except ImportError:
    from openfeature.contrib.provider.flagd.resolvers.process.targeting import targeting

    def answer(key: str, context: EvaluationContext) -> Any:
        flag = flags[key]
        found = targeting(key, flag["targeting"], context) if flag.get("targeting") else None
        name = flag["defaultVariant"] if found is None else found
        return flag["variants"][str(name).lower() if isinstance(name, bool) else name]

else:
    core = FlagdCore()
    core.set_flags(json.dumps(asked["payload"]))

    def answer(key: str, context: EvaluationContext) -> Any:
        return core.resolve_string_value(key, asked["default"], context).value


answers = [
    [answer(flag, EvaluationContext(unit, dict(attributes))) for flag in asked["flags"]]
    for unit, attributes in asked["units"]
]
json.dump(answers, sys.stdout)
