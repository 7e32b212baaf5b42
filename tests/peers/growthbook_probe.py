"""Asks GrowthBook's SDK, with the features given, and answers on standard output as JSON."""

import json
import sys

from growthbook import GrowthBook

asked = json.load(sys.stdin)
payload = asked["payload"]
growthbook = GrowthBook(features=payload["features"], savedGroups=payload["savedGroups"])
answers = []
for key, attributes in asked["units"]:
    growthbook.set_attributes({"id": key, **attributes})
    answers.append(
        [growthbook.get_feature_value(flag, asked["default"]) for flag in asked["flags"]]
    )
json.dump(answers, sys.stdout)
