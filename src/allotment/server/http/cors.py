"""Cross-origin requests: pages of chosen origins may call chosen paths (the Fetch standard, CORS).

A server without such origins has none of this around its application.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from allotment.server.http.answer import Answering, AtOnce, Ready, sending
from allotment.server.http.asgi import Message, Receive, Scope, Send

_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?\Z")

_VARY: Final = (b"vary", b"origin")
_EXPOSED: Final = b"etag, allotment-revision, retry-after, x-request-id"
_ALLOWED: Final = (
    b"authorization, content-type, if-none-match, x-api-key, allotment-space,"
    b" allotment-min-revision, x-request-id, traceparent"
)
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", _ALLOWED),
    (b"access-control-max-age", b"7200"),
)

Raw = tuple[tuple[bytes, bytes], ...]


def read_origins(text: str) -> tuple[str, ...]:
    """The origins of a list with commas; raises ValueError for what is no origin.

    `*` is none: a page that anyone may write would have the token of this one's users.
    """
    found = tuple(part.strip() for part in text.split(",")) if text.strip() else ()
    for each in found:
        if not _ORIGIN.match(each):
            raise ValueError(
                "has a part that is no origin: write https://shop.example or"
                " http://localhost:3000, in lower case and without a path, commas between them"
            )
    return found


class Cors:
    """An application some of whose paths pages of other origins may call.

    `concerns` says which paths; the others are as if this were not there.
    """

    def __init__(
        self, app: AtOnce, origins: Iterable[str], concerns: Callable[[str], bool]
    ) -> None:
        self._app = app
        self._concerns = concerns
        self._allowed: dict[bytes | None, Raw] = {
            origin.encode(): (
                _VARY,
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-expose-headers", _EXPOSED),
            )
            for origin in origins
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and say to which pages."""
        if scope["type"] != "http" or not self._concerns(scope["path"]):
            await self._app(scope, receive, send)
            return
        more = self._more(scope)
        preflight = _preflight(scope, more)

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        app = self._app if preflight is None else sending(preflight)
        await app(scope, receive, say)

    def at_once(self, scope: Scope) -> Answering | None:
        """What answers requests with this head, as the application has it."""
        if not self._concerns(scope["path"]):
            return self._app.at_once(scope)
        more = self._more(scope)
        if (preflight := _preflight(scope, more)) is not None:
            return lambda _scope, _body: _with(preflight, more)
        inner = self._app.at_once(scope)
        return None if inner is None else partial(_answer_with, inner, more)

    def _more(self, scope: Scope) -> Raw:
        """The headers that are added to the answer."""
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return self._allowed.get(origins[0], (_VARY,)) if len(origins) == 1 else (_VARY,)


def _preflight(scope: Scope, more: Raw) -> Ready | None:
    """The answer to a preflight; None for no preflight, and for an origin that is not chosen."""
    if scope["method"] != "OPTIONS" or len(more) == 1:
        return None
    asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
    return Ready(_PREFLIGHT, b"", 204) if asks else None


def _with(ready: Ready, more: Raw) -> Ready:
    return Ready([*ready.headers, *more], ready.body, ready.status)


def _answer_with(
    inner: Answering, more: Raw, scope: Scope, body: bytes
) -> Ready | Awaitable[Ready] | None:
    answer = inner(scope, body)
    if answer is None:
        return None
    return _with(answer, more) if isinstance(answer, Ready) else _awaited(answer, more)


async def _awaited(answer: Awaitable[Ready], more: Raw) -> Ready:
    return _with(await answer, more)
