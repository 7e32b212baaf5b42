"""Which vendors' SDKs deal units beside ours: their names, and whose account of them it is."""

from __future__ import annotations

import re
from typing import Final

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")

_HINT: Final = (
    "has a part that is none of these: write launchdarkly, or confidence:ACCOUNT with the last part"
    " of the account's name, commas between them"
)


def read_vendors(text: str) -> dict[str, str]:
    """By the name of an API, the account at its vendor, "" where all accounts deal alike.

    `text` is a list with commas. Raises ValueError for what names no vendor that deals units.
    """
    parts = [part.strip().partition(":") for part in text.split(",")] if text.strip() else []
    for name, colon, account in parts:
        sound = _ACCOUNT.match(account) if name == "confidence" else not colon
        if name not in {"launchdarkly", "confidence"} or not sound:
            raise ValueError(_HINT)
    if len({name for name, _, _ in parts}) < len(parts):
        raise ValueError("names a vendor twice")
    return {name: account for name, _, account in parts}
