"""What a request to OFREP is about: the operation, the space and the flag that its target names."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from allotment.errors import InvalidInput
from allotment.server.assign.reading import read_query
from allotment.server.http.asgi import Scope

PROJECT: Final = "/projects/{projectKey}/environments/{environmentKey}"
BULK: Final = "/ofrep/v1/evaluate/flags"
SINGLE: Final = f"{BULK}/{{key}}"
STREAM: Final = "/ofrep/v1/stream"
FIRST_STEPS: Final = ("/ofrep/", "/projects/")
_TARGET: Final = re.compile(
    rb"(?:/projects/([^/]+)/environments/([^/]+))?"
    rb"/ofrep/v1/(?:evaluate/flags(?:/([^/]+))?|(stream))\Z"
)

# What a client adds to the query where an event made it ask.
_ETAG, _MODIFIED = "flagConfigEtag", "flagConfigLastModified"
TICKET: Final = "ticket"
_VERSION: Final = re.compile(r'"?([0-9]{1,17})(?:-[0-9a-f]{32})?"?\Z')


class OfrepOperation(NamedTuple):
    """One path, which the metrics and the log name by its template."""

    path: str
    name: str
    method: str = "POST"


# By whether the path names a space, and whether it names a flag.
_OPERATIONS: Final = {
    (is_named, is_single): OfrepOperation(
        f"{PROJECT if is_named else ''}{SINGLE if is_single else BULK}",
        "ofrep" if is_single else "ofrep_all",
    )
    for is_named in (False, True)
    for is_single in (False, True)
}


_STREAMS: Final = {
    is_named: OfrepOperation(f"{PROJECT if is_named else ''}{STREAM}", "", "GET")
    for is_named in (False, True)
}


class Target(NamedTuple):
    """What a path names: a space or the caller's own, and a flag as it is written, or all."""

    operation: OfrepOperation
    space: bytes | None
    key: bytes | None


def target_of(scope: Scope) -> Target | None:
    """What a path names; None where it is none of these."""
    match = _TARGET.match(scope.get("raw_path") or scope["path"].encode())
    if match is None:
        return None
    project, environment, key, stream = match.groups()
    space = None if project is None else project + b"/" + environment
    if stream is not None:
        return Target(_STREAMS[space is not None], space, None)
    return Target(_OPERATIONS[space is not None, key is not None], space, key)


def event_of(scope: Scope, target: Target) -> int | None:
    """The revision of the event that made a client ask; 0 where it names none.

    None is for a request that no event has caused.
    """
    found: int | None = None
    for name, value in read_query(scope["query_string"]):
        if target.key is not None or name not in (_ETAG, _MODIFIED):
            message = f"the parameters are {_ETAG} and {_MODIFIED}, in a request for all flags"
            raise InvalidInput(message, "query")
        found = max(found or 0, revision_of(value) if name == _ETAG else 0)
    return found


def revision_of(version: str) -> int:
    """The revision in what an event names, as it is or quoted; 0 where it is no such thing."""
    match = _VERSION.match(version)
    return int(match[1]) if match else 0


def ticket_in(scope: Scope) -> str | None:
    """The ticket in the query of a stream; None where there is none."""
    found: str | None = None
    for name, value in read_query(scope["query_string"]):
        if name != TICKET or found is not None:
            raise InvalidInput(f"the only parameter here is `{TICKET}`, given once", "query")
        found = value
    return found
