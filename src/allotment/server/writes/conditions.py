"""Preconditions of requests: ETags and idempotency keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from starlette.requests import Request

from allotment.change.commands import Command
from allotment.errors import InvalidInput, PreconditionFailed
from allotment.server.http.answer import Answer
from allotment.server.http.etags import catalog_version, etag, has, has_version, noun_version
from allotment.server.http.headers import Tags, read_tags
from allotment.server.http.requests import body_read, joined, single
from allotment.store import Committed, Once, Stored

_KEY_CHARACTERS_MAX: Final = 255

# Names the noun that a change is about, given the stored space; None for the whole catalog.
About = Callable[[Stored], tuple[str, str] | None]


def version_of(stored: Stored, noun: tuple[str, str] | None) -> str:
    """What an entity tag says of a noun, "" where it is not there; of the catalog with None."""
    return catalog_version(stored.head) if noun is None else noun_version(stored, *noun)


def unchanged(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` says that the client has what is under this tag already."""
    header = joined(request, "if-none-match")
    return header is not None and has(read_tags(header, "If-None-Match"), tag)


def check_conditions(request: Request, stored: Stored, about: About) -> None:
    """Raise PreconditionFailed unless the noun is as `If-Match` and `If-None-Match` ask."""
    wanted, unwanted = joined(request, "if-match"), joined(request, "if-none-match")
    if wanted is None and unwanted is None:
        return
    version = version_of(stored, about(stored))
    if wanted is not None:
        tags = read_tags(wanted, "If-Match")
        if not has_version(tags, version):
            raise _failed(tags, version)
    if unwanted is not None and has_version(
        read_tags(unwanted, "If-None-Match"), version, weakly=True
    ):
        raise PreconditionFailed("it is there already", "headers.If-None-Match")


def _failed(tags: Tags, version: str) -> PreconditionFailed:
    """Why an `If-Match` does not hold: a weak tag never matches, not even the current one."""
    why = "it has changed since, or is not there"
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
    asked = hashlib.sha256(b" ".join(target) + b"\n")
    asked.update(body_read(request))

    def record(stored: Stored, commands: Sequence[Command]) -> bytes:
        return msgspec.json.encode(answered(stored, commands))

    return Once(f"{who} {key}", asked.hexdigest(), record)


def recalled(committed: Committed) -> Answer | None:
    """The recorded answer, marked if an earlier request got it; None without an idempotency key."""
    if committed.answer is None:
        return None
    answer = msgspec.json.decode(committed.answer, type=Answer)
    if committed.replay is None:
        return answer
    return Answer(answer.status, (*answer.headers, ("idempotency-replayed", "true")), answer.body)
