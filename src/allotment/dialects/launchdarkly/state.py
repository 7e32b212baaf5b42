"""What a view of this API sees: a space, and what the other environments of its project have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

from allotment.dialects.launchdarkly.fields import Word
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.wire.model import LEFT_OUT, Body
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


class LDEnvironmentsQuery(Body):
    """The environments that an answer shows, with commas between them; all by default."""

    env: Word | None = LEFT_OUT

    def shown(self, usual: Collection[str]) -> Collection[str]:
        """The environments that are asked for, or else the usual ones."""
        return usual if self.env is None else self.env.split(",")


# By the keys of the environments, in their order.
Project: TypeAlias = Mapping[str, Environment]


@dataclass(frozen=True)
class LDState:
    """The space that a request is about.

    scene    the project and the environment that the path names
    reached  finds the environments of the project that the caller reaches
    token    the caller's token, by id and name
    """

    scene: Scene
    catalog: Catalog
    versions: Mapping[str, Numbered]
    reached: Callable[[], Project]
    token: tuple[str, str] = ("", "")

    @cached_property
    def project(self) -> Project:
        """The environments of the project that the caller reaches, by key."""
        return self.reached()

    def versions_of(self, noun: str) -> dict[str, Numbered]:
        """The versions of "kind:key" by the environments that have it."""
        found = {name: each.versions.get(noun) for name, each in self.project.items()}
        return {name: version for name, version in found.items() if version is not None}

    def created_at(self, noun: str) -> int:
        """When the first environment that has the noun got it."""
        return min(version.created_at for version in self.versions_of(noun).values())
