"""Where things are: the `_links` that every answer carries, made from a request's own path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from allotment.dialects.launchdarkly.schema.fields import LDLink, LDWindow, Links

_BASE: Final = "/api/v2"
_TYPE: Final = "application/json"


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
        return "/".join([_BASE, "projects", *(quote(part, "") for part in (self.project, *parts))])

    def of_flag(self, flag: str) -> str:
        """The path of a flag, which does not lead through `projects`."""
        return f"{_BASE}/flags/{quote(self.project, '')}/{quote(flag, '')}"

    def of_status(self, *flag: str) -> str:
        """The path of how a flag is used, or all flags, in the environment or else in all."""
        own = ("flag-statuses", self.project, self.environment)
        parts = own if self.environment else ("flag-status", self.project)
        return "/".join([_BASE, *(quote(part, "") for part in (*parts, *flag))])

    def of_metric(self, metric: str, *, group: bool = False) -> str:
        """The path of a metric, or of a group of them."""
        if group:
            return self.of_project("metric-groups", metric)
        return f"{_BASE}/metrics/{quote(self.project, '')}/{quote(metric, '')}"


def links_to(**hrefs: str) -> Links:
    """The links by their names."""
    return {name: LDLink(href=href, type=_TYPE) for name, href in hrefs.items()}


def links_of_window(href: str, query: LDWindow, total: int, given: Mapping[str, str]) -> Links:
    """The links of a window of a list: itself and, where there are such windows, those around it.

    `given` is what the query says beside its window.
    """
    limit, offset = query.limit, query.offset

    def at(start: int) -> str:
        return f"{href}?{urlencode({**given, 'limit': limit, 'offset': start})}"

    shown = {"self": at(offset)}
    if offset > 0:
        shown |= {"first": at(0), "prev": at(max(offset - limit, 0))}
    if offset + limit < total:
        shown |= {"next": at(offset + limit), "last": at((total - 1) // limit * limit)}
    return links_to(**shown)
