"""Experiments one by one, in lists of an environment, and of a whole project."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from allotment.change.lifecycle import Policy, Status, called
from allotment.dialects.launchdarkly.experiment_flags import uses_flag
from allotment.dialects.launchdarkly.experiment_views import (
    EXPANDS,
    LDExperiment,
    LDIteration,
    show_experiment,
    show_iteration,
)
from allotment.dialects.launchdarkly.fields import TEXT_MAX, ListedWords, words
from allotment.dialects.launchdarkly.iterations import kept_iteration
from allotment.dialects.launchdarkly.links import LDCount, LDWindow, Scene
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.wire.model import LEFT_OUT, Body
from allotment.dialects.wire.operation import Noun
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

# The vendor's words, each once: two statuses of ours are running there, and two are stopped.
STATUSES: Final = tuple(dict.fromkeys(called(Policy.LAUNCHDARKLY, at) for at in Status))

Expand = Annotated[tuple[str, ...], words(*EXPANDS), ListedWords]
States = Annotated[tuple[str, ...], words("active", "archived"), ListedWords]
Wanted: TypeAlias = Callable[[Experiment, Catalog], bool]

_FILTER: Final = "query.filter"


class LDExpandQuery(Body):
    """What an answer has beside what it always has."""

    expand: Expand | None = LEFT_OUT


class LDExperimentQuery(LDWindow):
    """The query of a list of experiments."""

    filter: Annotated[str, Field(max_length=TEXT_MAX)] | None = LEFT_OUT
    expand: Expand | None = LEFT_OUT
    lifecycleState: States | None = LEFT_OUT


def get_experiment(state: LDState, noun: Noun, query: LDExpandQuery) -> LDExperiment:
    """An experiment, with what is asked for of it."""
    return show_experiment(state.catalog.experiments[noun.key], state, query.expand or ())


def show_changed(state: LDState, noun: Noun) -> LDExperiment:
    """An experiment after a change, with everything."""
    return show_experiment(state.catalog.experiments[noun.key], state)


def show_draft(state: LDState, noun: Noun) -> LDIteration:
    """The draft of an experiment."""
    experiment = state.catalog.experiments[noun.key]
    return show_iteration(experiment, experiment.draft or experiment.current, state)


def get_experiments(query: LDExperimentQuery, state: LDState) -> LDCount[LDExperiment]:
    """A window of the experiments of an environment by key, without archived ones unless asked."""
    return _list(query, [state], state.scene.href("experiments"))


def get_experiments_any_env(query: LDExperimentQuery, state: LDState) -> LDCount[LDExperiment]:
    """A window of the experiments of all environments of a project that the token reaches."""
    project = state.scene.project
    environments = [
        LDState(Scene(project, key), each.catalog, each.versions, state.reached)
        for key, each in state.project.items()
    ]
    return _list(query, environments, state.scene.of_project("experiments"))


def _list(
    query: LDExperimentQuery, environments: Iterable[LDState], href: str
) -> LDCount[LDExperiment]:
    is_wanted = _wanted(query)
    found = [
        (key, index, state)
        for index, state in enumerate(environments)
        for key, one in state.catalog.experiments.items()
        if is_wanted(one, state.catalog)
    ]
    found.sort(key=lambda each: each[:2])

    def show(each: tuple[str, int, LDState]) -> LDExperiment:
        key, _, state = each
        return show_experiment(state.catalog.experiments[key], state, query.expand or ())

    return query.count(href, found, show)


def _wanted(query: LDExperimentQuery) -> Wanted:
    """Whether a query's `filter` and `lifecycleState` have an experiment in the list."""
    states = query.lifecycleState or ("active",)
    parts = (part.strip() for part in (query.filter or "").split(","))
    rules = [_rule(part) for part in parts if part]

    def is_wanted(experiment: Experiment, catalog: Catalog) -> bool:
        return ("archived" if experiment.archived else "active") in states and all(
            rule(experiment, catalog) for rule in rules
        )

    return is_wanted


def _rule(part: str) -> Wanted:
    field, colon, value = part.partition(":")
    if not colon:
        raise InvalidInput("a filter is written field:value", _FILTER)
    match field:
        case "flagKey":
            return lambda experiment, catalog: uses_flag(experiment, value, catalog)
        case "metricKey":
            return lambda experiment, _catalog: any(
                kept.primary == value or any(one.key == value for one in kept.metrics)
                for kept in (kept_iteration(experiment, one) for one in experiment.iterations)
            )
        case "status" if value in STATUSES:
            return lambda experiment, _catalog: any(
                called(Policy.LAUNCHDARKLY, Status(one.state)) == value
                for one in experiment.iterations
            )
        case "status":
            raise InvalidInput(f"one of {', '.join(STATUSES)} belongs here", _FILTER)
    raise InvalidInput("one of flagKey, metricKey, status belongs here", _FILTER)
