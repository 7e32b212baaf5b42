"""What a view of this API sees, and where things are: the `_links` and windows of its answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, Field

from allotment.dialects.launchdarkly.fields import LDConstant, Word
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Model
from allotment.dialects.wire.operation import ReadState, ReadVersion
from allotment.model.catalog import Catalog
from allotment.model.limits import EXPERIMENTS_MAX

S = TypeVar("S")
Item = TypeVar("Item", bound=BaseModel)

_BASE: Final = "/api/v2"


class LDLink(LDConstant):
    """Where something is."""

    href: str
    type: Literal["application/json"] = "application/json"


Links = dict[str, LDLink]


def links_to(**hrefs: str) -> Links:
    """The links by their names."""
    return {name: LDLink(href=href) for name, href in hrefs.items()}


@dataclass(frozen=True, slots=True)
class Scene:
    """The project of a request, and its environment; "" where it names none."""

    project: str
    environment: str = ""

    @classmethod
    def of(cls, ids: Mapping[str, str]) -> Scene:
        """The scene that a path names."""
        return cls(ids["projectKey"], ids.get("environmentKey", ""))

    def href(self, *parts: str) -> str:
        """The path of something in the environment, or else in the project."""
        own = ("environments", self.environment) if self.environment else ()
        return self.of_project(*own, *parts)

    def of_project(self, *parts: str) -> str:
        """The path of something in the project."""
        return _path("projects", self.project, *parts)

    def of_flag(self, *flag: str) -> str:
        """The path of a flag, or of all, which does not lead through `projects`."""
        return _path("flags", self.project, *flag)

    def of_status(self, *flag: str) -> str:
        """The path of how a flag is used, or all flags, in the environment or else in all."""
        own = ("flag-statuses", self.project, self.environment)
        return _path(*(own if self.environment else ("flag-status", self.project)), *flag)

    def of_metric(self, *metric: str) -> str:
        """The path of a metric, or of all."""
        return _path("metrics", self.project, *metric)

    def of_group(self, *group: str) -> str:
        """The path of a group of metrics, or of all."""
        return self.of_project("metric-groups", *group)


def _path(*parts: str) -> str:
    return "/".join([_BASE, *(quote(part, "") for part in parts)])


class LDPage(Model, Generic[Item]):
    """A window of a list, and how many there are in all."""

    totalCount: int
    links: Links = Field(alias="_links")
    items: list[Item]


class LDCount(Model, Generic[Item]):
    """The same, spelled as experiments and holdouts have it."""

    items: list[Item]
    total_count: int
    links: Links = Field(alias="_links")


class LDWindow(Body):
    """The query of a list that comes in windows."""

    limit: Annotated[int, Field(ge=1, le=1_000), DIGITS] = 20
    offset: Annotated[int, Field(ge=0, le=EXPERIMENTS_MAX), DIGITS] = 0

    def page(self, href: str, found: Sequence[S], show: Callable[[S], Item]) -> LDPage[Item]:
        """The window of what was found at `href`, each item as it is shown."""
        return LDPage(
            items=self._items(found, show),
            totalCount=len(found),
            _links=self._links(href, len(found)),
        )

    def count(self, href: str, found: Sequence[S], show: Callable[[S], Item]) -> LDCount[Item]:
        """The same, spelled as experiments and holdouts have it."""
        return LDCount(
            items=self._items(found, show),
            total_count=len(found),
            _links=self._links(href, len(found)),
        )

    def _items(self, found: Sequence[S], show: Callable[[S], Item]) -> list[Item]:
        return [show(each) for each in found[self.offset : self.offset + self.limit]]

    def _links(self, href: str, total: int) -> Links:
        """The window itself and, where there are such windows, those around it."""
        limit, offset = self.limit, self.offset
        said = {
            name: ",".join(value) if isinstance(value, tuple) else value
            for name, value in self.model_dump(exclude={"limit", "offset"}).items()
        }

        def at(start: int) -> str:
            return f"{href}?{urlencode({**said, 'limit': limit, 'offset': start})}"

        shown = {"self": at(offset)}
        if offset > 0:
            shown |= {"first": at(0), "prev": at(max(offset - limit, 0))}
        if offset + limit < total:
            shown |= {"next": at(offset + limit), "last": at((total - 1) // limit * limit)}
        return links_to(**shown)


class LDEnvironmentsQuery(Body):
    """The environments that an answer shows, with commas between them; all by default."""

    env: Word | None = LEFT_OUT

    def shown(self, usual: Collection[str]) -> Collection[str]:
        """The environments that are asked for, or else the usual ones."""
        return usual if self.env is None else self.env.split(",")


# By the keys of the environments, in their order.
Project: TypeAlias = Mapping[str, ReadState]


@dataclass(frozen=True)
class LDState:
    """The space that a request is about.

    scene    the project and the environment that the path names
    reached  finds the environments of the project that the caller reaches
    token    the caller's token, by id and name
    """

    scene: Scene
    catalog: Catalog
    versions: Mapping[str, ReadVersion]
    reached: Callable[[], Project]
    token: tuple[str, str] = ("", "")

    @cached_property
    def project(self) -> Project:
        """The environments of the project that the caller reaches, by key."""
        return self.reached()

    def versions_of(self, noun: str) -> dict[str, ReadVersion]:
        """The versions of "kind:key" by the environments that have it."""
        found = {name: each.versions.get(noun) for name, each in self.project.items()}
        return {name: version for name, version in found.items() if version is not None}

    def created_at(self, noun: str) -> int:
        """When the first environment that has the noun got it."""
        return min(version.created_at for version in self.versions_of(noun).values())
