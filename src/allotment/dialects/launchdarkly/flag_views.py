"""Flags as they are shown: once for the project, with the switch of each environment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from allotment.dialects.launchdarkly.fields import Id, LDConstant, Moment, Word
from allotment.dialects.launchdarkly.flags import (
    Json,
    LDDefaults,
    LDFlagFields,
    fields_of,
    value_of,
)
from allotment.dialects.launchdarkly.ids import id_of, index_of
from allotment.dialects.launchdarkly.rollouts import LDFallthrough, show_fallthrough
from allotment.dialects.launchdarkly.state import (
    LDEnvironmentsQuery,
    LDLink,
    LDPage,
    LDState,
    LDWindow,
    Links,
    Project,
    links_to,
)
from allotment.dialects.wire.model import LEFT_OUT, Model
from allotment.dialects.wire.operation import Noun, ReadVersion
from allotment.model.flag import Flag, FlagState, Variation


class LDVariation(Model):
    """A variation of a flag."""

    id: Id = Field(alias="_id")
    value: Json
    name: str | None = LEFT_OUT
    description: str | None = LEFT_OUT


class LDFlagConfig(LDConstant):
    """A flag in one environment."""

    on: bool
    archived: bool
    salt: str
    sel: str = ""
    lastModified: Moment
    version: int
    targets: tuple[Any, ...] = ()
    contextTargets: tuple[Any, ...] = ()
    rules: tuple[Any, ...] = ()
    prerequisites: tuple[Any, ...] = ()
    fallthrough: LDFallthrough
    offVariation: int
    trackEvents: bool = False
    trackEventsFallthrough: bool = False
    environmentName: str = Field(alias="_environmentName")
    site: LDLink = Field(alias="_site")


class LDFlagExperiments(LDConstant):
    """The experiments of a flag, which are not listed here, and the default as their baseline."""

    baselineIdx: int
    items: tuple[Any, ...] = ()


class LDFlag(LDFlagFields, Model):
    """A flag."""

    key: str
    name: str
    description: str
    kind: Literal["boolean", "multivariate"]
    version: int = Field(alias="_version")
    creationDate: Moment
    variations: list[LDVariation]
    temporary: bool
    tags: list[str]
    links: Links = Field(alias="_links")
    experiments: LDFlagExperiments
    customProperties: dict[str, Any]
    archived: bool
    defaults: LDDefaults
    environments: dict[str, LDFlagConfig]


_FILTERS: Final = ("query", "state", "tags")
_STATES: Final = ("live", "archived")


def _is_filter(text: str) -> str:
    for part in text.split(","):
        field, _, value = part.partition(":")
        if field not in _FILTERS:
            raise ValueError(f"one of {', '.join(_FILTERS)} belongs here")
        if field == "state" and value not in _STATES:
            raise ValueError(f"one of {', '.join(_STATES)} belongs here")
    return text


class LDFlagPatchQuery(LDEnvironmentsQuery):
    """The query of a patch of a flag."""

    ignoreConflicts: Annotated[str | None, WithJsonSchema({"type": "boolean"})] = LEFT_OUT


class LDFlagsQuery(LDWindow, LDEnvironmentsQuery):
    """The query of the list of flags."""

    tag: Word | None = LEFT_OUT
    archived: Literal["true", "false"] | None = LEFT_OUT
    summary: str | None = LEFT_OUT
    filter: Annotated[
        Annotated[Word, AfterValidator(_is_filter)] | None,
        Field(description="`query:TEXT`, `tags:ONE+OTHER` or `state:live`, with commas between."),
    ] = LEFT_OUT


_Wanted: TypeAlias = Callable[[Flag], bool]


def show_flag(state: LDState, noun: Noun) -> LDFlag:
    """A flag, with its switch in every environment of the project."""
    return _show(state.catalog.flags[noun.key], state, state.project)


def get_feature_flag(state: LDState, noun: Noun, query: LDEnvironmentsQuery) -> LDFlag:
    """A flag, with its switch in every environment of the project, or in those asked for."""
    return _show(state.catalog.flags[noun.key], state, query.shown(state.project))


def show_patched(state: LDState, noun: Noun, query: LDFlagPatchQuery) -> LDFlag:
    """A flag that was changed, likewise."""
    return get_feature_flag(state, noun, query)


def get_feature_flags(query: LDFlagsQuery, state: LDState) -> LDPage[LDFlag]:
    """A window of the flags of the project by key; archived ones only where they are asked for."""
    catalogs = [each.catalog for each in state.project.values()]
    flags = {key: flag for catalog in catalogs for key, flag in catalog.flags.items()}
    rules = [*_rules(query, state.project)]
    found = [flags[key] for key in sorted(flags) if all(rule(flags[key]) for rule in rules)]
    shown_in = query.shown(())
    return query.page(state.scene.of_flag(), found, lambda flag: _show(flag, state, shown_in))


def _rules(query: LDFlagsQuery, project: Project) -> Iterator[_Wanted]:
    """What a flag has to be for the query to want it."""
    archived = query.archived == "true"
    if query.tag is not None:
        yield _tagged(frozenset([query.tag]))
    for part in query.filter.split(",") if query.filter else ():
        field, _, value = part.partition(":")
        match field:
            case "query":
                yield _named(value.lower())
            case "tags":
                yield _tagged(frozenset(value.split("+")))
            case _:
                archived = value == "archived"
    yield lambda flag: _is_archived(flag.key, project) is archived


def _named(part: str) -> _Wanted:
    return lambda flag: part in flag.key.lower() or part in flag.name.lower()


def _tagged(tags: frozenset[str]) -> _Wanted:
    return lambda flag: tags.issubset(fields_of(flag).tags or ())


def _is_archived(key: str, project: Project) -> bool:
    """Whether the flag is archived in every environment that has it."""
    flags = (each.catalog.flags.get(key) for each in project.values())
    return all(flag is None or flag.state is FlagState.ARCHIVED for flag in flags)


def _show(flag: Flag, state: LDState, shown_in: Collection[str]) -> LDFlag:
    key, fields = flag.key, fields_of(flag)
    versions = state.versions_of(f"flag:{key}")
    values = [value_of(one) for one in flag.variations]
    is_boolean = len(values) == 2 and all(isinstance(value, bool) for value in values)
    default = index_of(flag, flag.default)
    shown = {
        "key": key,
        "name": flag.name or key,
        "description": flag.description,
        "kind": "boolean" if is_boolean else "multivariate",
        "_version": max(each.revision for each in versions.values()),
        "creationDate": state.created_at(f"flag:{key}"),
        "variations": [_show_variation(flag, one) for one in flag.variations],
        "_links": links_to(self=state.scene.of_flag(key)),
        "experiments": LDFlagExperiments(baselineIdx=default),
        "archived": _is_archived(key, state.project),
        "environments": {
            name: _show_config(flag, version, name, state)
            for name, version in versions.items()
            if name in shown_in
        },
        "tags": [],
        "customProperties": {},
        **fields.plain(),
        "temporary": fields.temporary is not False,
        "defaults": _show_defaults(fields.defaults, default, len(values) - 1),
    }
    return LDFlag.model_validate(shown)


def _show_variation(flag: Flag, variation: Variation) -> LDVariation:
    return LDVariation(
        _id=id_of("variation", flag.key, variation.key),
        value=value_of(variation),
        name=variation.name or None,
        description=variation.description or None,
    )


def _show_defaults(kept: LDDefaults | None, usual: int, last: int) -> LDDefaults:
    """What a new environment would begin with; a variation that is gone is no default."""
    on, off = (kept.onVariation, kept.offVariation) if kept else (usual, usual)
    return LDDefaults(
        onVariation=on if on <= last else usual, offVariation=off if off <= last else usual
    )


def _show_config(
    flag: Flag, version: ReadVersion, environment: str, state: LDState
) -> LDFlagConfig:
    """What is so in one environment."""
    catalog = state.project[environment].catalog
    flag = catalog.flags[flag.key]
    default = index_of(flag, flag.default)
    return LDFlagConfig(
        on=flag.state is FlagState.ON,
        archived=flag.state is FlagState.ARCHIVED,
        salt=flag.key,
        lastModified=version.updated_at,
        version=version.revision,
        fallthrough=show_fallthrough(flag, catalog),
        offVariation=default,
        _environmentName=environment,
        _site=links_to(self=f"{state.scene.of_flag(flag.key)}?env={environment}")["self"],
    )
