"""Instants: whole milliseconds since 1970 within, RFC 3339 text outside, and no clock or float."""

from __future__ import annotations

import re
from typing import Final

from allotment.errors import InvalidInput
from allotment.model.limits import INSTANT_END

_TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?(?:Z|([+-])(\d\d):(\d\d))\Z",
    re.ASCII,
)
_DAY: Final = 86_400_000


def read_instant(value: object, path: str) -> int:
    """Milliseconds since 1970 of text like "2026-01-02T03:04:05.678Z"; raises InvalidInput.

    The zone may be an offset; a fraction has at most three digits, as no more could be kept.
    """
    match = _TEXT.match(value) if isinstance(value, str) else None
    if match is not None:
        *numbers, fraction, sign, hours, minutes = match.groups(default="0")
        year, month, day, hour, minute, second = map(int, numbers)
        days = _days(year, month, day)
        ahead = 60 * int(hours) + int(minutes)
        instant = days * _DAY + ((60 * hour + minute) * 60 + second) * 1000
        instant += int(fraction.ljust(3, "0")) + (ahead if sign == "-" else -ahead) * 60_000
        clock = hour < 24 and minute < 60 and second < 60 and int(hours) < 24 and int(minutes) < 60
        if clock and _date(days) == (year, month, day) and 0 <= instant < INSTANT_END:
            return instant
    raise InvalidInput(
        'a time is text such as "2026-01-02T03:04:05.678Z", from the year 1970 on', path
    )


def show_instant(instant: int) -> str:
    """The instant as `read_instant` reads it, in UTC and with milliseconds."""
    days, rest = divmod(instant, _DAY)
    seconds, fraction = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    year, month, day = _date(days)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z"


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; a year is counted from March, so that its leap day comes last."""
    if month < 3:
        year, month = year - 1, month + 12
    leaps = year // 4 - year // 100 + year // 400
    return 365 * year + leaps + (153 * month - 457) // 5 + day - 719_469


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day of so many days since 1970-01-01."""
    near = 1970 + days * 400 // 146_097
    year = max(y for y in range(near - 1, near + 2) if _days(y, 1, 1) <= days)
    month = max(m for m in range(1, 13) if _days(year, m, 1) <= days)
    return year, month, days - _days(year, month, 1) + 1
