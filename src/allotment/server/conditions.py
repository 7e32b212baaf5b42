"""On what condition a request is answered or a change made: ETags, and idempotency keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from starlette.requests import Request

from allotment.change.commands import Command
from allotment.errors import AllotmentError, InvalidInput, PreconditionFailed
from allotment.model.number import read_whole
from allotment.server.answer import Answer
from allotment.server.etags import (
    catalog_version,
    etag,
    has,
    has_version,
    noun_version,
    revision_in,
)
from allotment.server.expected import Expected
from allotment.server.headers import Tags, read_tags
from allotment.server.requests import body_read, joined, single
from allotment.store import Once, Stored

_KEY_CHARACTERS_MAX: Final = 255

# Names the noun that a change is about, given the space as it is; None for the whole catalog.
About = Callable[[Stored], tuple[str, str] | None]


def version_of(stored: Stored, noun: tuple[str, str] | None) -> str:
    """What an entity tag says of a noun, "" where it is not there; of the catalog with None."""
    return catalog_version(stored.head) if noun is None else noun_version(stored, *noun)


def _revision_of(stored: Stored, noun: tuple[str, str] | None) -> int:
    if noun is None:
        return stored.catalog.revision
    version = stored.versions.get(":".join(noun))
    return 0 if version is None else version.revision


def unchanged(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` says that the client has what is under this tag already."""
    header = joined(request, "if-none-match")
    return header is not None and has(read_tags(header, "If-None-Match"), tag)


def is_conditional(request: Request) -> bool:
    """Whether the client says on what condition it wants a change."""
    return any(name in request.headers for name in ("if-match", "if-none-match"))


def expected(request: Request, stored: Stored, about: About, *, whole: bool) -> Expected:
    """What must still hold when the change is made; PreconditionFailed where it does not now.

    With `whole` that is the noun as it is now, also where the client asks for nothing.
    """
    wanted, unwanted = joined(request, "if-match"), joined(request, "if-none-match")
    if wanted is None and unwanted is None and not whole:
        return Expected()
    noun = about(stored)
    revision = _revision_of(stored, noun)
    version = "" if wanted is unwanted is None else version_of(stored, noun)
    if wanted is not None:
        tags = read_tags(wanted, "If-Match")
        if not has_version(tags, version):
            raise _failed(tags, version, "it has changed since, or is not there")
        if tags.any and not whole:
            return Expected()
    if unwanted is not None and has_version(
        read_tags(unwanted, "If-None-Match"), version, weakly=True
    ):
        raise PreconditionFailed("it is there already", "headers.If-None-Match")
    return Expected(revision=revision) if noun is None else Expected({noun: revision})


def refuse_stale(request: Request, stored: Stored, about: About) -> None:
    """Raise PreconditionFailed where `If-Match` names only versions from before the one served.

    Versions only grow, so it cannot hold again, whatever else the store has by now. One that was
    done before under its idempotency key is another matter.
    """
    header = joined(request, "if-match")
    if header is None or "idempotency-key" in request.headers:
        return
    tags = read_tags(header, "If-Match")
    try:
        noun = about(stored)
    except AllotmentError:
        return  # what it is about is not served: the store knows better
    revision = _revision_of(stored, noun)
    named = [read_whole(revision_in(tag)) for tag in tags.strong]
    if not tags.any and all(each is not None and each < revision for each in named):
        raise _failed(tags, version_of(stored, noun), "it has changed since")


def _failed(tags: Tags, version: str, why: str) -> PreconditionFailed:
    """Why an `If-Match` does not hold: a weak tag never matches, not even the current one."""
    if has_version(tags, version, weakly=True):
        why = f"a weak tag (W/) never matches in If-Match; send the strong one, {etag(version)}"
    return PreconditionFailed(why, "headers.If-Match")


def once_of(
    request: Request, who: str, answered: Callable[[Stored, Sequence[Command]], Answer]
) -> Once | None:
    """The request as one that may come again, where it has an `Idempotency-Key`."""
    key = single(request, "idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= _KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        raise InvalidInput(
            f"this is 1 to {_KEY_CHARACTERS_MAX} printable characters", "headers.Idempotency-Key"
        )
    target = (request.method.encode(), request.url.path.encode(), request.scope["query_string"])
    asked = hashlib.sha256(b" ".join(target) + b"\n" + body_read(request))

    def record(stored: Stored, commands: Sequence[Command]) -> bytes:
        return msgspec.json.encode(answered(stored, commands))

    return Once(f"{who} {key}", asked.hexdigest(), record)


def recalled(record: bytes) -> Answer:
    """The answer that was given the first time, marked as such."""
    answer = msgspec.json.decode(record, type=Answer)
    return Answer(answer.status, (*answer.headers, ("idempotency-replayed", "true")), answer.body)
