"""What HTTP itself refuses, before any noun is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.errors import AllotmentError, InvalidInput, NotFound, Overloaded


class NoSuchPath(NotFound):
    """Nothing is served under the path."""

    def __init__(self) -> None:
        super().__init__("nothing is served under this path; / lists what there is")


class MethodNotAllowed(AllotmentError):
    """The path is there, but not for this method."""

    status_hint = 405

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"this path answers to {self.allowed}")


class UnsupportedMedia(InvalidInput):
    """The body is in a form that is not read here."""

    status_hint = 415


class NotAcceptable(InvalidInput):
    """The client accepts no form that is written here."""

    status_hint = 406


class TooManyRequests(Overloaded):
    """The server is overloaded; clients of OFREP wait after this status and no other."""

    status_hint = 429
