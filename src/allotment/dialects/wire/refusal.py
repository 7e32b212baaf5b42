"""What a vendor's API refuses by a rule of its own, in its own word and with its own status."""

from __future__ import annotations

from allotment.errors import InvalidChange


class Refusal(InvalidChange):
    """A refusal that has its HTTP status and the vendor's code already."""

    def __init__(self, status: int, code: str, message: str, path: str = "") -> None:
        super().__init__(message, path, code=code)
        self.status_hint = status
