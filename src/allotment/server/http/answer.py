"""An HTTP answer: a status, headers and bytes, without a framework."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import msgspec
from starlette.responses import Response

from allotment.dialects.wire.model import Model
from allotment.server.http.asgi import App, Receive, Scope, Send

_BODILESS: Final = frozenset({204, 304})

JSON: Final = "application/json"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are in lower case, and no length is among them."""

    status: int
    headers: Headers
    body: bytes


@dataclass(slots=True)
class Ready:
    """An answer that only needs to be sent; the headers are raw, and the length is among them.

    It may be sent again and again: the connection keeps their `lines` here.
    """

    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    status: int = 200
    lines: bytes | None = field(default=None, compare=False, repr=False)


# Answers a request whose body is there, given its scope: with an answer, with something to be
# awaited where work has to wait, or with None: then nothing was done, and the app is to be called.
Answering: TypeAlias = Callable[[Scope, bytes], Ready | Awaitable[Ready] | None]


class AtOnce(Protocol):
    """An application that answers some requests without a task."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

    def at_once(self, scope: Scope) -> Answering | None:
        """What answers requests with this head, whatever their bodies; None: only a call does.

        It may be kept, and asked about requests that have the same head but for the unit in their
        target, where the route has one.
        """


def as_json(tree: object, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """The answer that holds a tree of plain values as JSON."""
    return Answer(status, (("content-type", JSON), *headers), encode(tree))


def encode(tree: object) -> bytes:
    """A model, or a tree of plain values, as JSON."""
    if isinstance(tree, Model):
        return tree.json_bytes()
    try:
        return msgspec.json.encode(tree, enc_hook=_as_text)
    except UnicodeEncodeError:
        # A kept value may hold half a surrogate pair, which JSON spells as an escape only.
        return json.dumps(tree, default=_as_text, separators=(",", ":")).encode()


def _as_text(value: object) -> str:
    if isinstance(value, str):  # text of a class of its own
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def respond(answer: Answer) -> Response:
    """The answer as the framework sends it."""
    response = Response(answer.body or None, answer.status)
    response.raw_headers = raw_headers(answer)
    return response


async def send_answer(send: Send, answer: Answer, *, bodiless: bool = False) -> None:
    """Send a whole answer over ASGI; `bodiless` is for HEAD, whose answer has the length only."""
    start = {"status": answer.status, "headers": raw_headers(answer)}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})


def sending(ready: Ready | Awaitable[Ready]) -> App:
    """An application that sends an answer as soon as it is there."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        answer = ready if isinstance(ready, Ready) else await ready
        start = {"status": answer.status, "headers": answer.headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": answer.body})

    return app


def raw_headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    """The headers as ASGI has them, and the length of the body."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status not in _BODILESS:
        raw.append((b"content-length", b"%d" % len(answer.body)))
    return raw
