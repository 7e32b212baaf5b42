"""What a project has: environments, how flags are used in them, settings; and who is calling."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from allotment.change.commands import Command
from allotment.change.kinds import CATALOG
from allotment.dialects.launchdarkly.codes import missing
from allotment.dialects.launchdarkly.fields import ITEMS_MAX, UNIT, Key, LDBody, LDConstant, Word
from allotment.dialects.launchdarkly.ids import NOTES, id_of
from allotment.dialects.launchdarkly.state import (
    LDEnvironmentsQuery,
    LDPage,
    LDState,
    LDWindow,
    Links,
    Scene,
    links_to,
)
from allotment.dialects.wire.model import LEFT_OUT, Model, must
from allotment.dialects.wire.notes import shown_as
from allotment.dialects.wire.operation import Call, Noun
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState

# Environments.


class LDEnvironment(LDConstant):
    """An environment. It has no keys for the vendor's evaluation SDKs, which call elsewhere."""

    id: str = Field(alias="_id")
    key: str
    name: str
    apiKey: str = ""
    mobileKey: str = ""
    color: str = "000000"
    defaultTtl: int = 0
    secureMode: bool = False
    defaultTrackEvents: bool = False
    requireComments: bool = False
    confirmChanges: bool = False
    critical: bool = False
    tags: tuple[str, ...] = ()
    links: Links = Field(alias="_links")


class LDEnvironmentQuery(LDWindow):
    """The query of the list of environments."""

    filter: Annotated[
        Annotated[
            Word,
            must(lambda text: text.partition(":")[0] == "query", "one of query belongs here"),
        ]
        | None,
        Field(description="`query:TEXT`"),
    ] = LEFT_OUT


def get_environments_by_project(query: LDEnvironmentQuery, state: LDState) -> LDPage[LDEnvironment]:
    """A window of the environments of the project that the token reaches, by key."""
    _, _, wanted = (query.filter or "").lower().partition(":")
    scenes = [
        Scene(state.scene.project, key) for key in sorted(state.project) if wanted in key.lower()
    ]
    return query.page(state.scene.of_project("environments"), scenes, _show_environment)


def get_environment(state: LDState, _noun: Noun) -> LDEnvironment:
    """An environment."""
    return _show_environment(state.scene)


def _show_environment(scene: Scene) -> LDEnvironment:
    return LDEnvironment(
        _id=id_of("environment", scene.project, scene.environment),
        key=scene.environment,
        name=scene.environment,
        _links=links_to(self=scene.href(), parent=scene.of_project("environments")),
    )


# How flags are used.


class LDUse(Model):
    """How a flag is used: active where it is on. Requests are not counted."""

    name: Literal["inactive", "active"]


class LDFlagStatus(LDUse):
    """How a flag is used in one environment."""

    links: Links = Field(alias="_links")


class LDFlagStatuses(Model):
    """How the flags of an environment are used."""

    items: list[LDFlagStatus]
    links: Links = Field(alias="_links")


class LDFlagStatusAcross(Model):
    """How a flag is used in each environment."""

    key: str
    environments: dict[str, LDUse]
    links: Links = Field(alias="_links")


def get_feature_flag_statuses(state: LDState, _noun: Noun) -> LDFlagStatuses:
    """How the flags of an environment are used that are not archived, by key."""
    flags = state.catalog.flags.values()
    return LDFlagStatuses(
        items=[_status(each, state) for each in flags if each.state is not FlagState.ARCHIVED],
        _links=links_to(self=state.scene.of_status()),
    )


def get_feature_flag_status(state: LDState, noun: Noun) -> LDFlagStatus:
    """How a flag is used in an environment."""
    return _status(state.catalog.flags[noun.key], state)


def get_feature_flag_status_across_environments(
    state: LDState, noun: Noun, query: LDEnvironmentsQuery
) -> LDFlagStatusAcross:
    """How a flag is used in every environment of the project, or in those asked for."""
    flags = {name: each.catalog.flags.get(noun.key) for name, each in state.project.items()}
    having = {name: flag for name, flag in flags.items() if flag is not None}
    if not having:
        missing("flag")
    shown_in = query.shown(having)
    return LDFlagStatusAcross(
        key=noun.key,
        environments={
            name: LDUse(name=_use(flag)) for name, flag in having.items() if name in shown_in
        },
        _links=_links_of_use(noun.key, state.scene),
    )


def _status(flag: Flag, state: LDState) -> LDFlagStatus:
    return LDFlagStatus(name=_use(flag), _links=_links_of_use(flag.key, state.scene))


def _use(flag: Flag) -> Literal["inactive", "active"]:
    return "active" if flag.state is FlagState.ON else "inactive"


def _links_of_use(flag: str, scene: Scene) -> Links:
    return links_to(self=scene.of_status(flag), parent=scene.of_flag(flag))


# The caller.


class LDCaller(LDConstant):
    """The caller: a token, and the space that it means."""

    authKind: str = "token"
    tokenKind: str = "service"
    tokenId: str
    tokenName: str
    serviceToken: bool = True
    projectId: str
    projectName: str
    environmentId: str
    environmentName: str


def get_caller_identity(state: LDState, _noun: Noun) -> LDCaller:
    """The caller: the token, and the space that it means."""
    scene = state.scene
    return LDCaller(
        tokenId=state.token[0],
        tokenName=state.token[1],
        projectId=id_of("project", scene.project),
        projectName=scene.project,
        environmentId=id_of("environment", scene.project, scene.environment),
        environmentName=scene.environment,
    )


# The settings: by which kinds of unit a project randomises. They decide nothing here, as every
# experiment, layer and holdout says its own kind of unit. They are stored with the catalogs of the
# project, and given back.

SETTINGS: Final = "experimentation-settings"


class LDRandomizationUnit(Model):
    """A kind of unit as it is shown."""

    randomizationUnit: str
    default: bool


class LDRandomizationUnitInput(LDBody):
    """A kind of unit that the project randomises by."""

    randomizationUnit: Key
    default: bool | None = LEFT_OUT
    standardRandomizationUnit: Annotated[str, Field(max_length=256)] | None = LEFT_OUT


class LDSettingsPut(LDBody):
    """The body that sets a project's experimentation settings."""

    randomizationUnits: Annotated[
        list[LDRandomizationUnitInput],
        Field(min_length=1, max_length=ITEMS_MAX),
        must(
            lambda units: len({one.randomizationUnit for one in units}) == len(units),
            "a randomization unit stands here twice; keep one",
        ),
        must(
            lambda units: sum(one.default is True for one in units) <= 1,
            "a project has one default randomization unit",
        ),
    ]


class LDSettings(Model):
    """A project's experimentation settings."""

    project_id: str = Field(alias="_projectId")
    project_key: str = Field(alias="_projectKey")
    randomizationUnits: list[LDRandomizationUnit]
    links: Links = Field(alias="_links")


_UNITS: Final = TypeAdapter(list[LDRandomizationUnit])
_USERS: Final = [LDRandomizationUnit(randomizationUnit=UNIT, default=True)]


def put_experimentation_settings(call: Call[LDSettingsPut], _catalog: Catalog) -> list[Command]:
    """Set the kinds of unit that a project randomises by."""
    units: list[Tree] = [
        {"randomizationUnit": one.randomizationUnit, "default": one.default is True}
        for one in call.body.randomizationUnits
    ]
    return [NOTES.keep(CATALOG, CATALOG, SETTINGS, units)]


def get_experimentation_settings(state: LDState, _noun: Noun) -> LDSettings:
    """The kinds of unit as they were put; until then there are users, the default."""
    return LDSettings(
        _projectId=id_of("project", state.scene.project),
        _projectKey=state.scene.project,
        randomizationUnits=shown_as(_UNITS, NOTES.kept(state.catalog, SETTINGS), _USERS),
        _links=links_to(self=state.scene.of_project(SETTINGS)),
    )
