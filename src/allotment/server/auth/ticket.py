"""Tickets: what opens one stream of events where a client can send no header.

A page's EventSource sends no headers, so its ticket stands in the address. It is made of the
caller's token and is kept nowhere: every process that knows the token by its digest knows its
tickets. It is for one space, ends after one to two hours, and with its token.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import Final

from allotment.model.number import read_whole
from allotment.store import Token

_HOUR: Final = 3600
_MEANT_FOR: Final = b"allotment ticket 1\n"
_MAC_DIGITS: Final = 32


def ticket_of(token: Token, space: str, now: float) -> str:
    """The ticket of this hour; the same however often it is asked for."""
    hour = int(now // _HOUR)
    return f"{token.id}.{hour}.{_mac(token.digest, space, hour)}"


def opens(ticket: str, token: Token, space: str, now: float) -> bool:
    """Whether a ticket is of this token and this space, and of this hour or the one before.

    The clock of the process that made it may be somewhat ahead.
    """
    head, _, mac = ticket.rpartition(".")
    name, _, hour = head.rpartition(".")
    said = read_whole(hour)
    if name != token.id or said is None or abs(int(now // _HOUR) - said) > 1:
        return False
    return hmac.compare_digest(mac.encode(), _mac(token.digest, space, said).encode())


def token_named(ticket: str) -> str:
    """The id of the token that a ticket says it is of."""
    return ticket.rpartition(".")[0].rpartition(".")[0]


@lru_cache(4096)
def _mac(digest: str, space: str, hour: int) -> str:
    said = _MEANT_FOR + f"{space}\n{hour}".encode()
    return hmac.digest(digest.encode(), said, "sha256").hex()[:_MAC_DIGITS]
