"""The operations of Confidence's API."""

from __future__ import annotations

from allotment.server.confidence.router import router

__all__ = ["router"]
