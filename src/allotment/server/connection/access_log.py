"""The access log: one line for every request, also for one that was refused unread."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from allotment.server.auth.access import Caller

log: Final = logging.getLogger("allotment.access")


def log_request(
    scope: Mapping[str, Any], method: str, status: int, size: int, seconds: float = 0.0
) -> None:
    """Log a line about a request that has ended; status 0 says that its answer broke off.

    The path is the route's template: units and keys do not stand in it, nor does a query.
    """
    route = scope.get("route")
    caller: Caller | None = scope["state"].get("caller")
    client, identity = scope["client"], scope["state"]["identity"]
    fields: dict[str, Any] = {
        "method": method,
        "path": "other" if route is None else route.path,
        "status": status,
        "ms": round(seconds * 1000, 3),
        "bytes": size,
        "client": client and client[0],
        "token": caller and (caller.name or caller.who),
        "space": caller and caller.space,
        "request_id": identity.request_id,
    }
    if identity.trace_id:
        fields |= {"trace_id": identity.trace_id, "span_id": identity.span_id}
    log.info("request", extra={"fields": fields})
