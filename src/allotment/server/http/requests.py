"""Reads the target, the query and the body of a request strictly. Nothing is repaired."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request

from allotment.errors import InvalidInput, TooLarge
from allotment.kernel.json_shape import JsonShape
from allotment.model.number import read_whole
from allotment.server.http.headers import Media, read_media
from allotment.server.http.limits import (
    BODY_BYTES_MAX,
    BODY_DEPTH_MAX,
    BODY_VALUES_MAX,
    REVISION_MAX,
    VALUE_BYTES,
)
from allotment.server.http.refusals import UnsupportedMedia

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


async def body_of(request: Request, limit: int = BODY_BYTES_MAX) -> bytes | bytearray:
    """The whole body; raises TooLarge as soon as there is more than `limit` bytes of it."""
    body = await read_body(request.scope, request.receive, limit)
    request.state.body = body
    return body


async def read_body(
    scope: Scope, receive: Receive, limit: int = BODY_BYTES_MAX
) -> bytes | bytearray:
    """The body of a raw ASGI request, whether or not it says how long it is.

    Raises TooLarge as soon as more has come than `limit` bytes or values, InvalidInput for too deep
    nesting, and Overloaded where all bodies together take too much room.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value[:20]) > limit):
            raise _too_large(limit)
        if name == b"content-encoding" and value.strip().lower() != b"identity":
            raise UnsupportedMedia("a body is sent as it is, not compressed")
    # It grows in place: to join the parts of 64 MiB would keep the event loop for 30 ms.
    whole, shape = bytearray(), JsonShape()
    hold = scope.get("hold")  # of the connection, where there is one
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        if len(whole) + len(part) > limit:
            raise _too_large(limit)
        before = shape.values
        check_shape(part, shape)
        if hold is not None:
            hold(len(part) + VALUE_BYTES * (shape.values - before))
        if not message.get("more_body", False):
            if not whole:
                return part
            whole += part
            return whole
        whole += part


async def small_body(scope: Scope, receive: Receive) -> bytes:
    """The body of a raw ASGI request as `read_body` reads it, which mostly comes in one piece."""
    first = await receive()
    if first["type"] == "http.request" and not first.get("more_body", False):
        body: bytes = first.get("body", b"")
        if len(body) <= BODY_BYTES_MAX:
            check_shape(body, JsonShape())
            return body
    came = iter((first,))

    async def again() -> MutableMapping[str, Any]:
        return next(came, None) or await receive()

    return bytes(await read_body(scope, again))


def check_shape(part: bytes, shape: JsonShape, path: str = "$") -> None:
    """Refuse JSON that holds or nests too much, before anything is made of it.

    `shape` is of what came before this part. A megabyte takes a millisecond.
    """
    shape.feed(part)
    if shape.values > BODY_VALUES_MAX:
        raise TooLarge(
            f"a body has at most {BODY_VALUES_MAX:,} values and names of fields; send it in parts"
        )
    check_nesting(shape, path)


def check_nesting(shape: JsonShape, path: str = "$") -> None:
    """Refuse JSON that nests too deep; `shape` is of what came so far."""
    if shape.deepest > BODY_DEPTH_MAX:
        raise InvalidInput(f"this is nested deeper than {BODY_DEPTH_MAX} levels", path)


async def json_body_of(
    request: Request, limit: int = BODY_BYTES_MAX, *, text: bool = False
) -> bytes | bytearray:
    """The whole body of a request that says it is JSON, or does not say what it is.

    With `text` it may also say that it is plain text. A page of another host can send that without
    being asked for leave, so this is for a body that brings its own secret.
    """
    said = media_of(request)
    plain = text and said.kind == "text/plain" and said.is_utf8
    if not (said.is_json or plain):
        message = "the body is JSON in UTF-8: `Content-Type: application/json`"
        raise UnsupportedMedia(message, "headers.Content-Type")
    return await body_of(request, limit)


def check_target(scope: Scope) -> None:
    """Refuse a path or a query that is not UTF-8 once its escapes are undone.

    A framework would put U+FFFD in place of what it cannot read, and so make one key of several.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    for part, name in ((raw.partition(b"?")[0], "path"), (scope["query_string"], "query")):
        if b"%" not in part and part.isascii():
            continue
        if _BROKEN_ESCAPE.search(part):
            raise InvalidInput("a percent sign is written %25", name)
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            raise InvalidInput("this is not UTF-8", name) from None


def query_of(request: Request, known: Collection[str] = ()) -> dict[str, str]:
    """The query's parameters, each of which is known and given once."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            allowed = f"there are {', '.join(known)}" if known else "there is none"
            raise InvalidInput(f"there is no such query parameter here; {allowed}", "query")
        if name in given:
            raise InvalidInput("this query parameter is given twice", f"query.{name}")
        given[name] = value
    return given


def whole(text: str, path: str, low: int, high: int) -> int:
    """A whole number in decimal digits, within its bounds."""
    number = read_whole(text)
    if number is None or not low <= number <= high:
        raise InvalidInput(f"this is a whole number from {low:,} to {high:,}", path)
    return number


def min_revision(text: str) -> int:
    """The revision that `Allotment-Min-Revision` names."""
    return whole(text, "headers.Allotment-Min-Revision", 0, REVISION_MAX)


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The value of a header in a raw ASGI request; refused where it is given twice."""
    found = [value for each, value in headers if each == name]
    if len(found) > 1:
        raise InvalidInput("this header is given twice", f"headers.{name.decode()}")
    return found[0] if found else None


def joined_header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The values of a header that is a list, in a raw ASGI request, however often it is given."""
    values = [value.decode("latin-1") for each, value in headers if each == name]
    return ", ".join(values) if values else None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a body has at most {limit:,} bytes here")


def body_read(request: Request) -> bytes | bytearray:
    """The body, where it has been read."""
    body: bytes | bytearray = getattr(request.state, "body", b"")
    return body


def media_of(request: Request) -> Media:
    """What a body is said to be; JSON where nothing is said."""
    said = single(request, "content-type")
    return read_media("application/json" if said is None else said)


def single(request: Request, name: str) -> str | None:
    """A header's value; refused where it is given twice."""
    value = header(request.scope["headers"], name.encode())
    return None if value is None else value.decode("latin-1")


def joined(request: Request, name: str) -> str | None:
    """The values of a header that is a list, however often it is given."""
    return joined_header(request.scope["headers"], name.encode())
