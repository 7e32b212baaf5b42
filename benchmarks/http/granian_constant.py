"""Granian, by its own interface: a constant, and the body of the request is not read."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.http.constant import ANSWER

HEADERS: Final = [("content-type", "application/json")]


async def app(scope: Any, protocol: Any) -> None:  # noqa: ARG001  # RSGI is so
    protocol.response_bytes(200, HEADERS, ANSWER)
