"""The operations of LaunchDarkly's API: importing a room puts its routes on the router."""

from __future__ import annotations

from allotment.server.launchdarkly import (
    environments,
    experiments,
    experimentschemas,
    flags,
    flagschemas,
    holdouts,
    holdoutschemas,
    layers,
    metrics,
    metricschemas,
    settings,
)
from allotment.server.launchdarkly.router import router

__all__ = [
    "environments",
    "experiments",
    "experimentschemas",
    "flags",
    "flagschemas",
    "holdouts",
    "holdoutschemas",
    "layers",
    "metrics",
    "metricschemas",
    "router",
    "settings",
]
