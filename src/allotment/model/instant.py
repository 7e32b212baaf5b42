"""Instants: whole milliseconds since 1970 inside, RFC 3339 text outside. No clock is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from allotment.errors import InvalidInput
from allotment.model.limits import INSTANT_END

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

# RFC 3339 with at most milliseconds; `fromisoformat` takes more than that, and some releases 24:00.
_TEXT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:[0-5]\d)\Z", re.ASCII
)


def read_instant(value: object, path: str) -> int:
    """Milliseconds since 1970 of text like "2026-01-02T03:04:05.678Z"; raises InvalidInput.

    The zone may be an offset; a fraction has at most three digits, as no more could be kept.
    """
    if isinstance(value, str) and _TEXT.match(value):
        try:
            instant = milliseconds(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            instant = -1
        if 0 <= instant < INSTANT_END:
            return instant
    raise InvalidInput(
        'a time is text such as "2026-01-02T03:04:05.678Z", from the year 1970 on', path
    )


def milliseconds(when: datetime) -> int:
    """Milliseconds since 1970 UTC of a time with a zone."""
    return (when - _EPOCH) // _MILLISECOND


def show_instant(instant: int) -> str:
    """The instant as `read_instant` reads it, in UTC and with milliseconds."""
    when = _EPOCH + instant * _MILLISECOND
    return f"{when.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
