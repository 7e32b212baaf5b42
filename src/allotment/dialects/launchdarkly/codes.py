"""The words of this API's errors: `{code, message}`, and what ours are in them."""

from __future__ import annotations

from typing import Final, NoReturn

from allotment.dialects.wire.model import WORDS, Model, Refusal
from allotment.dialects.wire.source import Tree
from allotment.errors import AllotmentError

INVALID: Final = "invalid_request"

# By status: what nothing more particular is known of.
CODES: Final = {
    **WORDS,
    401: "unauthorized",
    403: "forbidden",
    422: INVALID,
    429: "rate_limited",
}


class LDError(Model):
    """The body of every error."""

    code: str
    message: str
    id: str


def missing(kind: str) -> NoReturn:
    """Raise the 404 for a noun that a path does not name; `kind` is our word for it."""
    raise Refusal(404, "not_found", f"There is no such {kind}")


def taken(kind: str, path: str = "$.key") -> Refusal:
    """The 409 for a key that another noun of the kind has."""
    article = "An" if kind[0] in "aeiou" else "A"
    return Refusal(409, "key_exists", f"{article} {kind} with that key already exists", path)


def invalid(message: str, path: str) -> Refusal:
    """The 400 for what is well formed, and cannot be."""
    return Refusal(400, INVALID, message, path)


def show_error(error: AllotmentError) -> dict[str, Tree]:
    """The body of an error, but for the id of the request."""
    return {"code": _code(error), "message": str(error)}


def _code(error: AllotmentError) -> str:
    if isinstance(error, Refusal):
        return error.code
    if error.status_hint == 400:
        return INVALID
    return CODES.get(error.status_hint, "internal_service_error")
