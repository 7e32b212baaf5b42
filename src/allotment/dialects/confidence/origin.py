"""When a noun came and changed, and who did it, as this API shows it."""

from __future__ import annotations

from typing import Final

from allotment.dialects.wire.version import Version
from allotment.model.instant import show_instant

# Shown where the journal does not know who it was; this API wants a name.
_UNKNOWN: Final = "allotment"


def creator_of(version: Version) -> str:
    """Who brought the noun in, as the journal has it: the id of a token, mostly."""
    return version.created_by or _UNKNOWN


def show_origin(version: Version) -> dict[str, str]:
    """The times of a noun and who is behind them."""
    return {
        "createTime": show_instant(version.created_at),
        "updateTime": show_instant(version.updated_at),
        "creator": creator_of(version),
        "updater": version.updated_by or _UNKNOWN,
    }
