"""A project as this API shows what is a whole project's: with what each environment has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog


class Numbered(Version, Protocol):
    """A version of a document that also has a number, which grows."""

    @property
    def revision(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Environment:
    """What one environment has: its catalog, and the versions of its nouns by "kind:key"."""

    catalog: Catalog
    versions: Mapping[str, Numbered]


# By the keys of the environments, in their order.
Project: TypeAlias = Mapping[str, Environment]


def created_at(kind: str, key: str, project: Project) -> int:
    """When the first environment that has the noun got it."""
    versions = (each.versions.get(f"{kind}:{key}") for each in project.values())
    return min(version.created_at for version in versions if version is not None)
