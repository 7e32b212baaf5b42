"""The version of a document, as far as an API shows it."""

from __future__ import annotations

from typing import Protocol

from allotment.model.instant import show_instant


class Version(Protocol):
    """When a document was made and last changed, in milliseconds since 1970, UTC."""

    @property
    def created_at(self) -> int: ...  # noqa: D102
    @property
    def updated_at(self) -> int: ...  # noqa: D102


def show_times(version: Version) -> dict[str, str]:
    """Both moments as the wire spells them."""
    return {
        "created_at": show_instant(version.created_at),
        "updated_at": show_instant(version.updated_at),
    }
