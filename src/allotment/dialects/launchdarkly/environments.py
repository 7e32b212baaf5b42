"""The environments of a project, how a flag is used in each, and the caller."""

from __future__ import annotations

from allotment.dialects.launchdarkly.codes import missing
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.links import Scene, links_of_window, links_to
from allotment.dialects.launchdarkly.schema.environments import (
    LDCaller,
    LDEnvironment,
    LDEnvironmentQuery,
    LDEnvironments,
    LDFlagStatus,
    LDFlagStatusAcross,
    LDFlagStatuses,
    LDUse,
)
from allotment.dialects.launchdarkly.schema.flags import LDEnvironmentsQuery
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.wire.operation import Noun
from allotment.model.flag import Flag, FlagState


def get_environments_by_project(query: LDEnvironmentQuery, state: LDState) -> LDEnvironments:
    """A window of the environments of the project that the token reaches, by key."""
    project = state.scene.project
    _, _, wanted = (query.filter or "").lower().partition(":")
    keys = [key for key in sorted(state.project) if wanted in key.lower()]
    href = state.scene.of_project("environments")
    return LDEnvironments(
        items=[_show_environment(Scene(project, key)) for key in query.of(keys)],
        totalCount=len(keys),
        _links=links_of_window(href, query, len(keys), query.beside()),
    )


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


def get_feature_flag_statuses(state: LDState, _noun: Noun) -> LDFlagStatuses:
    """How the flags of an environment are used that are not archived, by key."""
    flags = sorted(state.catalog.flags.values(), key=lambda flag: flag.key)
    there = [flag for flag in flags if flag.state is not FlagState.ARCHIVED]
    return LDFlagStatuses(
        items=[_show_status(flag, state.scene) for flag in there],
        _links=links_to(self=state.scene.of_status()),
    )


def get_feature_flag_status(state: LDState, noun: Noun) -> LDFlagStatus:
    """How a flag is used in an environment."""
    return _show_status(state.catalog.flags[noun.key], state.scene)


def get_feature_flag_status_across_environments(
    state: LDState, noun: Noun, query: LDEnvironmentsQuery
) -> LDFlagStatusAcross:
    """How a flag is used in every environment of the project, or in those asked for."""
    flags = {name: each.catalog.flags.get(noun.key) for name, each in state.project.items()}
    having = {name: flag for name, flag in flags.items() if flag is not None}
    if not having:
        missing("flag")
    shown_in, scene = query.shown(having), state.scene
    return LDFlagStatusAcross(
        key=noun.key,
        environments={name: _use(flag) for name, flag in having.items() if name in shown_in},
        _links=links_to(self=scene.of_status(noun.key), parent=scene.of_flag(noun.key)),
    )


def _show_status(flag: Flag, scene: Scene) -> LDFlagStatus:
    return LDFlagStatus(
        name=_use(flag).name,
        _links=links_to(self=scene.of_status(flag.key), parent=scene.of_flag(flag.key)),
    )


def _use(flag: Flag) -> LDUse:
    return LDUse(name="active" if flag.state is FlagState.ON else "inactive")


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
