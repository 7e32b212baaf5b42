"""The operations of LaunchDarkly's API: importing a room puts its routes on the router."""

from __future__ import annotations

from allotment.server.launchdarkly import (
    experiments,
    experimentschemas,
    flags,
    flagschemas,
    holdouts,
    holdoutschemas,
    layers,
    settings,
)
from allotment.server.launchdarkly.router import router

__all__ = [
    "experiments",
    "experimentschemas",
    "flags",
    "flagschemas",
    "holdouts",
    "holdoutschemas",
    "layers",
    "router",
    "settings",
]
