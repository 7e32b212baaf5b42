"""Where a server is, and what every request to it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from allotment.errors import InvalidInput

# What a header can hold; a token never has anything else.
_TOKEN: Final = re.compile(r"[!-~]+")

_URL: Final = re.compile(r"https?://[^/?#@\s]+(/[^?#@\s]*)?")


@dataclass(frozen=True)
class Address:
    """A server, the token to call it with, and the space to ask for; None is the token's own.

    Raises InvalidInput for what no request can carry.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    space: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", self.url.rstrip("/"))
        if not _URL.fullmatch(self.url):
            raise InvalidInput("a server's address is http://HOST:PORT or https://HOST")
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise InvalidInput("the token holds what no token does, such as a space or a line end")
        if self.space is not None and not _TOKEN.fullmatch(self.space):
            raise InvalidInput("a space is written PROJECT/ENVIRONMENT")

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request. The token is for that server only: follow no redirect."""
        given = {"authorization": self.token and f"Bearer {self.token}"}
        given["allotment-space"] = self.space
        return {"user-agent": "allotment", **{name: text for name, text in given.items() if text}}
