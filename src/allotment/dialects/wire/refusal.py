"""What a vendor's API refuses by a rule of its own, in its own word and with its own status."""

from __future__ import annotations

from typing import Final

from allotment.errors import InvalidChange

# Words for statuses for which a vendor publishes none.
WORDS: Final = {
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    412: "precondition_failed",
    413: "payload_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    431: "headers_too_large",
    503: "service_unavailable",
    507: "insufficient_storage",
}


class Refusal(InvalidChange):
    """A refusal that has its HTTP status and the vendor's code already."""

    def __init__(self, status: int, code: str, message: str, path: str = "") -> None:
        super().__init__(message, path, code=code)
        self.status_hint = status
