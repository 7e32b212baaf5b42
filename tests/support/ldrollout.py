"""What one of LaunchDarkly's server SDKs is told of a flag that the API shows, and how it deals.

`dealt` is written from the vendor's documentation of its algorithm and shares no code with ours.
"""

import hashlib
from typing import Any


def sdk_flag(shown: Any, environment: str = "production") -> Any:
    """The flag of an SDK's payload, with the same variations by their indices."""
    here = shown["environments"][environment]
    fallthrough = here["fallthrough"]
    if "rollout" in fallthrough:
        rollout = fallthrough["rollout"]
        slices = [
            {"variation": one["variation"], "weight": one["weight"], "untracked": one["_untracked"]}
            for one in rollout["variations"]
        ]
        named = {name: rollout[name] for name in ("seed", "contextKind")}
        fallthrough = {"rollout": {"kind": "experiment", "variations": slices, **named}}
    return {
        "key": shown["key"],
        "version": here["version"],
        "on": here["on"],
        "salt": here["salt"],
        "offVariation": here["offVariation"],
        "variations": [one["value"] for one in shown["variations"]],
        "fallthrough": fallthrough,
    }


def bucket(prefix: str, unit: str) -> float:
    """Where a unit lies between 0 and 1."""
    return int(hashlib.sha1(f"{prefix}.{unit}".encode()).hexdigest()[:15], 16) / float(
        0xFFFFFFFFFFFFFFF
    )


def dealt(flag: Any, unit: str) -> Any:
    """The value of a flag of a payload for a unit."""
    fallthrough = flag["fallthrough"]
    if not flag["on"]:
        return flag["variations"][flag["offVariation"]]
    if "rollout" not in fallthrough:
        return flag["variations"][fallthrough["variation"]]
    rollout = fallthrough["rollout"]
    value, running = bucket(str(rollout["seed"]), unit), 0.0
    for each in rollout["variations"]:
        running += each["weight"] / 100_000.0
        if value < running:
            break
    return flag["variations"][each["variation"]]
