"""A new token: its text, and what is kept of it."""

from __future__ import annotations

import hashlib
from typing import Final

from allotment.store import Scope, Token

# So that those who scan for leaked secrets know one when they see it.
_PREFIX: Final = "allot_"


def minted(  # noqa: PLR0913  # the parts of a token
    scope: Scope,
    space: str,
    name: str,
    *,
    secret: str,
    now: int,
    who: str,
    expires_at: int | None = None,
) -> tuple[Token, str]:
    """The token and its text, made of a secret of 43 random URL-safe characters.

    `space` is a pattern PROJECT/ENVIRONMENT, where either may be "*"; times are in milliseconds.
    `who` makes it.
    """
    text = _PREFIX + secret
    digest = hashlib.sha256(text.encode()).hexdigest()
    token = Token(digest[:8], digest, scope, space, name, now, expires_at, created_by=who)
    return token, text
