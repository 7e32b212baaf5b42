"""What a face gives to a dialect, which has no clock and no entropy of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """The time of a request and where fresh text comes from.

    now     epoch milliseconds, UTC
    fresh   text of so many bytes of entropy as hex digits; `secrets.token_hex` in a server
    """

    now: int
    fresh: Callable[[int], str]
