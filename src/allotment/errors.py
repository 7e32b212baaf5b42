"""Every error Allotment raises, in one tree.

    AllotmentError
    ├── InvalidInput     something that came in is malformed: a catalog, a column, an argument
    ├── InvalidChange    a well-formed change that the catalog or its lifecycle does not allow
    │   ├── NotFound     it names something that is not there
    │   └── Conflict     it collides with what is there
    ├── StoreError       the store is away, full or from another version
    └── MissingExtra     an optional dependency is not installed

Assigning raises none of these for the sake of data: it answers with a reason.
"""

from __future__ import annotations


class AllotmentError(Exception):
    """The base of the tree: a sentence that helps and, where one is known, the path of the fault.

    `path` is written like `$.experiments.checkout.allocations[1].weights`; it is "" where the fault
    has no place. `status_hint` is the HTTP status a face would answer with. `command` is set where
    one of several commands failed: its position among them.
    """

    status_hint = 500
    command: int | None = None

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message, path)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} - at {self.path}" if self.path else self.message


class InvalidInput(AllotmentError, ValueError):
    """Something that came in is malformed; nothing of it was used."""

    status_hint = 400


class InvalidChange(AllotmentError):
    """The change is well formed, but the catalog does not allow it; nothing of it happened."""

    status_hint = 400


class NotFound(InvalidChange):
    """The change or the question names something that does not exist."""

    status_hint = 404


class Conflict(InvalidChange):
    """The change collides with what is there: a key that is taken, a bucket that is owned."""

    status_hint = 409


class StoreError(AllotmentError):
    """The store cannot be read or written now; what is published goes on."""

    status_hint = 503


class MissingExtra(AllotmentError):
    """An optional dependency is not installed; the message names the extra that brings it."""
