"""The operations of LaunchDarkly's API: importing a room puts its routes on the router."""

from __future__ import annotations

from allotment.server.launchdarkly import experiments, experimentschemas
from allotment.server.launchdarkly.mounted import mounted
from allotment.server.launchdarkly.router import router

router.routes.extend(mounted.routes)

__all__ = [
    "experiments",
    "experimentschemas",
    "router",
]
