"""The environments of a project, and what is so of a flag in each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from allotment.dialects.launchdarkly.codes import missing
from allotment.dialects.launchdarkly.environments import Project
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.links import Scene, links, page_links
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.window import read_window
from allotment.model.flag import Flag, FlagState

LIMIT: Final = 20
LIMIT_MAX: Final = 1_000
QUERY: Final = ("limit", "offset", "filter")

# Of the vendor's words for how a flag is used, those that are known without counting requests.
STATUSES: Final = ("inactive", "active")

_TEXT_MAX: Final = 1_024


def list_environments(query: Place, keys: Collection[str], project: str) -> dict[str, Tree]:
    """The environments with these keys that the query wants, as far as its window goes."""
    wanted = _read_filter(query.at("filter"))
    found = [key for key in sorted(keys) if wanted in key.lower()]
    window = read_window(query, LIMIT, LIMIT_MAX)
    said = {"filter": str(query.at("filter").value)} if query.at("filter").said else {}
    href = Scene(project).of_project("environments")
    return {
        "items": [show_environment(Scene(project, key)) for key in window.of(found)],
        "totalCount": len(found),
        "_links": page_links(href, said, window.limit, window.offset, len(found)),
    }


def show_environment(scene: Scene) -> dict[str, Tree]:
    """An environment. It has no keys for the vendor's evaluation SDKs, which call elsewhere."""
    return {
        "_id": id_of("environment", scene.project, scene.environment),
        "key": scene.environment,
        "name": scene.environment,
        "apiKey": "",
        "mobileKey": "",
        "color": "000000",
        "defaultTtl": 0,
        "secureMode": False,
        "defaultTrackEvents": False,
        "requireComments": False,
        "confirmChanges": False,
        "critical": False,
        "tags": [],
        "_links": links(self=scene.href(), parent=Scene(scene.project).of_project("environments")),
    }


def show_status(flag: Flag, scene: Scene) -> dict[str, Tree]:
    """How a flag is used in one environment, with links."""
    path = scene.of_status(flag.key)
    return {**_status(flag), "_links": links(self=path, parent=scene.of_flag(flag.key))}


def show_statuses(flags: Collection[Flag], scene: Scene) -> dict[str, Tree]:
    """How all flags of an environment are used that are not archived, by key."""
    there = [flag for flag in flags if flag.state is not FlagState.ARCHIVED]
    return {
        "items": [show_status(flag, scene) for flag in sorted(there, key=lambda flag: flag.key)],
        "_links": links(self=scene.of_status()),
    }


def show_status_across(
    key: str, project: Project, shown_in: Collection[str], scene: Scene
) -> dict[str, Tree]:
    """How a flag is used in each environment that it is asked for in."""
    having = {
        name: each.catalog.flags[key] for name, each in project.items() if key in each.catalog.flags
    }
    if not having:
        missing("flag")
    return {
        "key": key,
        "environments": {name: _status(having[name]) for name in having if name in shown_in},
        "_links": links(self=scene.of_status(key), parent=scene.of_flag(key)),
    }


def _status(flag: Flag) -> dict[str, Tree]:
    return {"name": STATUSES[flag.state is FlagState.ON]}


def _read_filter(place: Place) -> str:
    """What the keys of the environments that are wanted have in them, in lower case."""
    if not place.said:
        return ""
    field, _, value = place.text(1, _TEXT_MAX).partition(":")
    Place(field, place.path).word(("query",))
    return value.lower()
