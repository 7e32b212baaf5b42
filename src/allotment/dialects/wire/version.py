"""The version of a document, as far as an API shows it."""

from __future__ import annotations

from typing import Protocol


class Version(Protocol):
    """When a document was made and last changed, in milliseconds since 1970, UTC."""

    @property
    def created_at(self) -> int: ...  # noqa: D102
    @property
    def updated_at(self) -> int: ...  # noqa: D102
