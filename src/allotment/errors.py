"""Every error Allotment raises, in one tree.

    AllotmentError
    ├── InvalidInput     something that came in is malformed: a catalog, a column, an argument
    │   └── TooLarge     it is larger than it may be
    ├── InvalidChange    a well-formed change that the catalog or its lifecycle does not allow
    │   ├── NotFound     it names something that is not there
    │   ├── Conflict     it collides with what is there
    │   │   └── PreconditionFailed  the resource has changed since it was read
    │   └── IdempotencyMismatch     its idempotency key was used for another change
    ├── StoreError       the store is away, broken or from another version
    │   └── StoreFull    the store has no room left
    ├── Unauthorized     the caller is not known
    ├── Forbidden        the caller is known, and may not do this
    ├── Overloaded       the server is overloaded
    └── MissingExtra     an optional dependency is not installed

Assigning raises none of these for the sake of data: it answers with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable


class AllotmentError(Exception):
    """The base of the tree: a sentence that helps and, where one is known, the path of the fault.

    message      the sentence
    path         where the fault is, such as `$.experiments.checkout.allocations[1].weights`, or ""
    command      which of several commands failed, counted from 0; None where there is only one
    code         a word for the rule that was broken, such as "no_control", if a dialect has one
    status_hint  the HTTP status for it
    """

    status_hint = 500
    command: int | None = None

    def __init__(self, message: str, path: str = "", *, code: str = "") -> None:
        super().__init__(message, path)
        self.message = message
        self.path = path
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} - at {self.path}" if self.path else self.message


class InvalidInput(AllotmentError, ValueError):
    """Something that came in is malformed; nothing of it was used."""

    status_hint = 400


class TooLarge(InvalidInput):
    """Something that came in is larger than it may be; it was not read to its end."""

    status_hint = 413


class InvalidChange(AllotmentError):
    """The change is well formed, but the catalog does not allow it; nothing of it happened."""

    status_hint = 400


class NotFound(InvalidChange):
    """The change or the question names something that does not exist."""

    status_hint = 404


class Conflict(InvalidChange):
    """The change collides with what is there: a key that is taken, a bucket that is owned."""

    status_hint = 409


class PreconditionFailed(Conflict):
    """The resource has changed since it was read; read it again and retry."""

    status_hint = 412


class IdempotencyMismatch(InvalidChange):
    """The idempotency key was used for another change; a new change needs a new key."""

    status_hint = 422


class StoreError(AllotmentError):
    """The store cannot be read or written now; what is published goes on."""

    status_hint = 503


class StoreFull(StoreError):
    """The store has no room for the change; what it holds can still be read."""

    status_hint = 507


class Unauthorized(AllotmentError):
    """The caller gave no token, or one that is not known, has expired or was revoked."""

    status_hint = 401


class Forbidden(AllotmentError):
    """The caller's token does not reach as far as this."""

    status_hint = 403


class Overloaded(AllotmentError):
    """The server is overloaded; retry after a short time."""

    status_hint = 503


class MissingExtra(AllotmentError):
    """An optional dependency is not installed; the message names the extra that brings it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known word closest to it, or nothing.

    >>> did_you_mean("bata", ["alpha", "beta"])
    "; do you mean 'beta'?"
    """
    from difflib import get_close_matches  # noqa: PLC0415  # only a refusal asks

    close = get_close_matches(word, known, n=1)
    return f"; do you mean {close[0]!r}?" if close else ""
