"""The version of a document, as far as an API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias


class Version(Protocol):
    """When a document was made and last changed, in milliseconds since 1970, UTC, and by whom."""

    @property
    def created_at(self) -> int: ...  # noqa: D102
    @property
    def updated_at(self) -> int: ...  # noqa: D102
    @property
    def created_by(self) -> str: ...  # noqa: D102
    @property
    def updated_by(self) -> str: ...  # noqa: D102


# Finds the version of a noun by "kind:key".
Versions: TypeAlias = Mapping[str, Version]
