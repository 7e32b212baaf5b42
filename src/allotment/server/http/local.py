"""What a server with `insecure_local` refuses: requests that reach this machine from elsewhere.

It listens on a loopback address only, and every caller may do everything. Two kinds of request come
from this machine and were made elsewhere: those that a proxy passes on, and those that a page in a
browser here sends. Each is refused as far as its head shows it, whatever it asks. A proxy may show
nothing at all: this is a net below the setting, and no reason to trust a caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from allotment.errors import Forbidden
from allotment.server.http.answer import Answering, AtOnce
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.problems import saying

_PROXIED: Final = frozenset(
    {
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"true-client-ip",
        b"cf-connecting-ip",
    }
)
_PROXIED_PREFIX: Final = b"x-forwarded"
_HOST: Final = rb"(localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])(:[0-9]+)?\Z"
_LOCAL: Final = re.compile(_HOST, re.IGNORECASE)
_LOCAL_PAGE: Final = re.compile(rb"https?://" + _HOST, re.IGNORECASE)
_SAME_SITE: Final = frozenset({b"none", b"same-origin", b"same-site"})

_ONLY: Final = "insecure_local answers only callers on this machine"
_TOKENS: Final = "start the server without it and use a token"
FORWARDED: Final = Forbidden(f"{_ONLY}, and this came through a proxy; {_TOKENS}")
FOREIGN_PAGE: Final = Forbidden(f"{_ONLY}, and this comes from a page of another site; {_TOKENS}")
FOREIGN_HOST: Final = Forbidden(
    f"{_ONLY}, by localhost or a loopback address; {_TOKENS}", "headers.Host"
)


class OnlyLocal:
    """An application, which refuses what was made elsewhere."""

    def __init__(self, app: AtOnce) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        refusal = _refusal(scope["headers"]) if scope["type"] == "http" else None
        await (self._app if refusal is None else saying(refusal))(scope, receive, send)

    def at_once(self, scope: Scope) -> Answering | None:
        """What answers requests that are made here, as the application has it."""
        return self._app.at_once(scope) if _refusal(scope["headers"]) is None else None


def _refusal(headers: Iterable[tuple[bytes, bytes]]) -> Forbidden | None:
    for name, value in headers:
        if name in _PROXIED or name.startswith(_PROXIED_PREFIX):
            return FORWARDED
        if name == b"host" and not _LOCAL.match(value):
            return FOREIGN_HOST
        if name == b"origin" and not _LOCAL_PAGE.match(value):
            return FOREIGN_PAGE
        if name == b"sec-fetch-site" and value not in _SAME_SITE:
            return FOREIGN_PAGE
    return None
