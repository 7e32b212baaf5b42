"""What a view of this API sees: a space, and what the other environments of its project have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from allotment.dialects.launchdarkly.environments import Numbered, Project
from allotment.dialects.launchdarkly.links import Scene
from allotment.model.catalog import Catalog


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
