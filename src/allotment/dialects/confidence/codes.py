"""The words of this API's errors: the codes of gRPC, and what ours are in them.

What is malformed is an InvalidInput and what the catalog does not allow an InvalidChange already;
only what has another code than those of its class is raised from here.
"""

from __future__ import annotations

from typing import Final, NoReturn

from allotment.dialects.wire.model import Refusal
from allotment.dialects.wire.source import Tree
from allotment.errors import AllotmentError, Conflict, InvalidInput

# The codes of gRPC, by their names there.
CODES: Final = {
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}

# How each noun is called in a sentence.
WORDS: Final = {
    "experiment": "instance",
    "flag": "flag",
    "variation": "variant",
    "segment": "segment",
}

# Errors by their status. A 400 is one of two: see `_code`.
_STATUSES: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "ABORTED",
    413: "INVALID_ARGUMENT",
    414: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    431: "INVALID_ARGUMENT",
    503: "UNAVAILABLE",
    507: "RESOURCE_EXHAUSTED",
}


def missing(kind: str) -> NoReturn:
    """Raise the 404 for a noun that a path does not name."""
    raise Refusal(404, "NOT_FOUND", f"there is no such {WORDS[kind]}")


def taken(kind: str) -> Refusal:
    """The 409 for an id that another noun of the kind has."""
    word = WORDS[kind]
    return Refusal(
        409, "ALREADY_EXISTS", f"another {word} has this id; choose one", f"query.{word}Id"
    )


def precondition(message: str) -> Refusal:
    """The 400 for what the nouns as they are do not allow."""
    return Refusal(400, "FAILED_PRECONDITION", message)


def show_error(error: AllotmentError) -> dict[str, Tree]:
    """The body of an error: a code of gRPC, a sentence with its place, and no details."""
    return {"code": CODES[_code(error)], "message": str(error), "details": []}


def status_of(error: AllotmentError) -> int:
    """The status of an error: what collides with what is there is a precondition that fails."""
    return 400 if type(error) is Conflict else error.status_hint


def _code(error: AllotmentError) -> str:
    if error.code in CODES:
        return error.code
    if status_of(error) == 400:
        malformed = isinstance(error, InvalidInput)
        return "INVALID_ARGUMENT" if malformed else "FAILED_PRECONDITION"
    return _STATUSES.get(status_of(error), "INTERNAL")
