"""Routes that a POST with `X-HTTP-Method-Override` also reaches."""

from __future__ import annotations

from typing import Final

from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from allotment.server.http.requests import header

_OVERRIDE: Final = b"x-http-method-override"
_TUNNELLED: Final = ("PATCH", "PUT", "DELETE")


class TunnelledRoute(APIRoute):
    """A route that a POST also reaches whose `X-HTTP-Method-Override` names the route's method.

    The vendor has it for networks that let nothing else through.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the route answers the request, as the method that is meant."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return super().matches(scope)
        meant = (header(scope["headers"], _OVERRIDE) or b"").decode("latin-1").upper()
        if meant not in _TUNNELLED:
            return super().matches(scope)
        match, found = super().matches({**scope, "method": meant})
        return match, {**found, "method": meant}
