"""The operations of LaunchDarkly's API."""

from __future__ import annotations

from allotment.server.launchdarkly.router import router

__all__ = ["router"]
