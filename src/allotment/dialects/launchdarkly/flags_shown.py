"""Flags as they are shown: once for the project, with the switch of each environment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, TypeAlias

from allotment.dialects.launchdarkly.environments import (
    Environment,
    Numbered,
    Project,
    created_at,
)
from allotment.dialects.launchdarkly.flags import (
    DEFAULTS,
    KEPT_AS_SENT,
    PROPERTIES,
    is_temporary,
    tags_of,
)
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import Scene, link, links, page_links
from allotment.dialects.launchdarkly.variations import index_of, show_variation, value_of
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.window import read_window
from allotment.model.flag import Flag, FlagState

QUERY: Final = ("limit", "offset", "env", "tag", "archived", "summary", "filter")
LIMIT: Final = 20
LIMIT_MAX: Final = 1000

_TEXT_MAX: Final = 1024
_STATES: Final = ("live", "archived")

_Wanted: TypeAlias = Callable[[Flag], bool]


def show_flag(
    flag: Flag, project: Project, scene: Scene, shown_in: Collection[str]
) -> dict[str, Tree]:
    """The flag as this API spells it, with what is so `shown_in` some environments."""
    having = {name: each for name, each in project.items() if flag.key in each.catalog.flags}
    versions = {name: each.versions[f"flag:{flag.key}"] for name, each in having.items()}
    shown: dict[str, Tree] = {
        "key": flag.key,
        "name": flag.name or flag.key,
        "description": flag.description,
        "kind": _kind_of(flag),
        "_version": max(each.revision for each in versions.values()),
        "creationDate": created_at("flag", flag.key, project),
        "variations": [show_variation(flag, one) for one in flag.variations],
        "temporary": is_temporary(flag),
        "tags": [*tags_of(flag)],
        "_links": links(self=scene.of_flag(flag.key)),
        "experiments": {"baselineIdx": index_of(flag, flag.default), "items": []},
        PROPERTIES: {},
        "archived": _is_put_away(flag.key, having.values()),
        DEFAULTS: _show_defaults(flag),
        "environments": {
            name: _show_config(each.catalog.flags[flag.key], versions[name], name, scene)
            for name, each in having.items()
            if name in shown_in
        },
    }
    kept = {name: NOTES.kept(flag, name) for name in KEPT_AS_SENT}
    return shown | {name: value for name, value in kept.items() if value is not None}


def show_flags(project: Project, query: Place, scene: Scene) -> dict[str, Tree]:
    """The flags of the project by key that the query wants, as far as its window goes."""
    flags = {key: flag for each in project.values() for key, flag in each.catalog.flags.items()}
    wanted = _read_filters(query, project)
    keys = [key for key in sorted(flags) if wanted(flags[key])]
    window, shown_in = read_window(query, LIMIT, LIMIT_MAX), read_environments(query, ())
    items: list[Tree] = [show_flag(flags[key], project, scene, shown_in) for key in window.of(keys)]
    said = {name: str(query.at(name).value) for name in QUERY[2:] if query.at(name).said}
    href = scene.of_flag("").rstrip("/")
    return {
        "items": items,
        "totalCount": len(keys),
        "_links": page_links(href, said, window.limit, window.offset, len(keys)),
    }


def read_environments(query: Place, usual: Collection[str]) -> Collection[str]:
    """The environments that a query's `env` names, or else the usual ones."""
    place = query.at("env")
    return place.text(1, _TEXT_MAX).split(",") if place.said else usual


def _read_filters(query: Place, project: Project) -> _Wanted:
    """Whether the query wants a flag; an archived one only where it says so."""
    rules = [*_read_rules(query, project)]
    return lambda flag: all(rule(flag) for rule in rules)


def _read_rules(query: Place, project: Project) -> Iterator[_Wanted]:
    archived, tag, filters = query.at("archived"), query.at("tag"), query.at("filter")
    state = "live"
    if archived.said and archived.word(("true", "false")) == "true":
        state = "archived"
    if tag.said:
        wanted = tag.text(1, _TEXT_MAX)
        yield lambda flag: wanted in tags_of(flag)
    for part in filters.text(1, _TEXT_MAX).split(",") if filters.said else ():
        field, _, value = part.partition(":")
        match Place(field, filters.path).word(("query", "state", "tags")):
            case "query":
                yield _named(value.lower())
            case "tags":
                yield _tagged(frozenset(value.split("+")))
            case _:
                state = Place(value, filters.path).word(_STATES)
    yield lambda flag: _is_put_away(flag.key, project.values()) is (state == "archived")


def _named(part: str) -> _Wanted:
    return lambda flag: part in flag.key.lower() or part in flag.name.lower()


def _tagged(tags: frozenset[str]) -> _Wanted:
    return lambda flag: tags.issubset(tags_of(flag))


def _is_put_away(key: str, environments: Iterable[Environment]) -> bool:
    """Whether the flag is archived wherever it is."""
    flags = (each.catalog.flags.get(key) for each in environments)
    return all(flag is None or flag.state is FlagState.ARCHIVED for flag in flags)


def _kind_of(flag: Flag) -> str:
    values = [value_of(one) for one in flag.variations]
    plain = len(values) == 2 and all(isinstance(value, bool) for value in values)
    return "boolean" if plain else "multivariate"


def _show_defaults(flag: Flag) -> Tree:
    """What a new environment of the vendor's would begin with, which steers nothing."""
    kept, last = NOTES.kept(flag, DEFAULTS), len(flag.variations) - 1
    usual = index_of(flag, flag.default)
    kept = kept if isinstance(kept, dict) else {}
    shown: dict[str, Tree] = {}
    for name in ("onVariation", "offVariation"):
        index = kept.get(name)
        # A variation that is gone meanwhile is no default of anything.
        shown[name] = index if isinstance(index, int) and index <= last else usual
    return shown


def _show_config(flag: Flag, version: Numbered, environment: str, scene: Scene) -> Tree:
    """What is so in one environment."""
    default = index_of(flag, flag.default)
    nothing: dict[str, Tree] = {
        name: [] for name in ("targets", "contextTargets", "rules", "prerequisites")
    }
    return {
        "on": flag.state is FlagState.ON,
        "archived": flag.state is FlagState.ARCHIVED,
        "salt": flag.key,
        "sel": "",
        "lastModified": version.updated_at,
        "version": version.revision,
        **nothing,
        "fallthrough": {"variation": default},
        "offVariation": default,
        "trackEvents": False,
        "trackEventsFallthrough": False,
        "_environmentName": environment,
        "_site": link(f"{scene.of_flag(flag.key)}?env={environment}"),
    }
