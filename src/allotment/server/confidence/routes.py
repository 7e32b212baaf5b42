"""The operations of Confidence's API: each room puts its own on the router as it is read."""

from __future__ import annotations

from allotment.server.confidence import apply, flags, instances, resolve, segments
from allotment.server.confidence.router import router

__all__ = ["apply", "flags", "instances", "resolve", "router", "segments"]
