"""Experiments and their iterations as this API shows them: one, and in lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from allotment.change.lifecycle import Policy, Status, called
from allotment.dialects.launchdarkly.experiment_flags import (
    LDIterationFlag,
    said_flags,
    show_flags,
    uses_flag,
)
from allotment.dialects.launchdarkly.experiments import (
    LDAnalysis,
    LDKeptExperiment,
    Methodology,
    Operation,
    Source,
    mutable_fields,
)
from allotment.dialects.launchdarkly.fields import TEXT_MAX, Id, ListedWords, Moment, words
from allotment.dialects.launchdarkly.ids import NOTES, id_of, id_of_iteration, id_of_treatment
from allotment.dialects.launchdarkly.iterations import before_draft, kept_iteration
from allotment.dialects.launchdarkly.layers import LDLayerSnapshot, snapshot_of
from allotment.dialects.launchdarkly.metric_groups import (
    LDIterationMetric,
    LDPrimary,
    LDSingleMetric,
    show_measures,
)
from allotment.dialects.launchdarkly.state import LDCount, LDState, LDWindow, Links, Scene, links_to
from allotment.dialects.launchdarkly.treatments import LDTreatment, show_treatments
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model
from allotment.dialects.wire.operation import Noun
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State

# What an answer has only where it is asked for.
EXPANDS: Final = (
    *("previousIterations", "draftIteration", "secondaryMetrics", "treatments"),
    *("analysisConfig", "mutableFieldsByStatus"),
)

IterationStatus = Literal["not_started", "running", "stopped"]


class LDCovariate(Model):
    """The file with what is known of units beside the experiment."""

    id: str
    fileName: str
    createdAt: Moment


class LDIteration(LDPrimary):
    """An iteration of an experiment."""

    id: Id = Field(alias="_id")
    hypothesis: str
    status: IterationStatus
    createdAt: Moment
    canReshuffleTraffic: bool
    flags: dict[str, LDIterationFlag]
    version: int
    randomizationUnit: str
    reallocationFrequencyMillis: Maybe[int] = LEFT_OUT
    attributes: Maybe[list[str]] = LEFT_OUT
    layerSnapshot: Maybe[LDLayerSnapshot] = LEFT_OUT
    startedAt: Maybe[Moment] = LEFT_OUT
    endedAt: Maybe[Moment] = LEFT_OUT
    winningTreatmentId: Maybe[Id] = LEFT_OUT
    winningReason: Maybe[str] = LEFT_OUT
    covariateInfo: Maybe[LDCovariate] = LEFT_OUT
    treatments: Maybe[list[LDTreatment]] = LEFT_OUT
    metrics: Maybe[list[LDIterationMetric]] = LEFT_OUT
    secondaryMetrics: Maybe[list[LDSingleMetric]] = LEFT_OUT


Mutable = dict[str, list[Operation]]


class LDMutableFields(Model):
    """By status and field, what may be done to it."""

    not_started: Mutable
    running: Mutable
    stopped: Mutable


class LDExperiment(Model):
    """An experiment; what is unset, empty or not asked for is left out."""

    id: Id = Field(alias="_id")
    key: str
    name: str
    description: str
    maintainerId: str = Field(alias="_maintainerId")
    creationDate: Moment = Field(alias="_creationDate")
    environmentKey: str
    links: Links = Field(alias="_links")
    methodology: Methodology
    dataSource: Source
    type: Literal["experiment", "mab", "holdout"]
    tags: list[str]
    holdoutId: Maybe[Id] = LEFT_OUT
    archivedDate: Maybe[Moment] = LEFT_OUT
    currentIteration: Maybe[LDIteration] = LEFT_OUT
    draftIteration: Maybe[LDIteration] = LEFT_OUT
    previousIterations: Maybe[list[LDIteration]] = LEFT_OUT
    analysisConfig: Maybe[LDAnalysis] = LEFT_OUT
    mutableFieldsByStatus: Maybe[LDMutableFields] = LEFT_OUT


def show_experiment(
    experiment: Experiment, state: LDState, expand: Collection[str] = EXPANDS
) -> LDExperiment:
    """The experiment with what is asked for; what is unset or empty is left out."""
    key, holdout, scene = experiment.key, experiment.holdout, state.scene
    version = state.versions[f"experiment:{key}"]
    kept = NOTES.read_fields(experiment, LDKeptExperiment)
    archived = kept.archivedDate or version.updated_at
    more: dict[str, Any] = _iterations(experiment, state, expand)
    if kept.analysisConfig and kept.analysisConfig.plain() and "analysisConfig" in expand:
        more["analysisConfig"] = kept.analysisConfig
    if "mutableFieldsByStatus" in expand:
        more["mutableFieldsByStatus"] = LDMutableFields.model_validate(mutable_fields())
    return LDExperiment(
        _id=id_of("experiment", key),
        key=key,
        name=experiment.name or key,
        description=experiment.description,
        _maintainerId=kept.maintainerId,
        _creationDate=version.created_at,
        environmentKey=scene.environment,
        _links=links_to(parent=scene.href(), self=scene.href("experiments", key)),
        methodology=kept.methodology,
        dataSource=kept.dataSource,
        type=kept.type,
        tags=kept.tags,
        holdoutId=None if holdout is None else id_of("holdout", holdout),
        archivedDate=archived if experiment.archived else None,
        **more,
    )


def _iterations(
    experiment: Experiment, state: LDState, expand: Collection[str]
) -> dict[str, LDIteration | list[LDIteration]]:
    """The iteration that runs, else the one that did last; those before it; the one to come."""

    def show(iteration: Iteration) -> LDIteration:
        return show_iteration(experiment, iteration, state, expand)

    shown: dict[str, LDIteration | list[LDIteration]] = {}
    current, draft = before_draft(experiment), experiment.draft
    previous = [one for one in reversed(experiment.iterations) if one not in (current, draft)]
    if current is not None:
        shown["currentIteration"] = show(current)
    if draft is not None and "draftIteration" in expand:
        shown["draftIteration"] = show(draft)
    if previous and "previousIterations" in expand:
        shown["previousIterations"] = [show(one) for one in previous]
    return shown


def show_iteration(
    experiment: Experiment,
    iteration: Iteration,
    state: LDState,
    expand: Collection[str] = EXPANDS,
) -> LDIteration:
    """One of the experiment's iterations."""
    key, catalog = experiment.key, state.catalog
    kept = kept_iteration(experiment, iteration)
    said = said_flags(experiment, iteration, kept.flags, catalog)
    created = kept.createdAt
    if created is None:
        created = state.versions[f"experiment:{key}"].created_at
    more: dict[str, Any] = show_measures(kept, state, expand)
    if "treatments" in expand:
        more["treatments"] = show_treatments(experiment, iteration)
    if kept.covariateId is not None:
        more["covariateInfo"] = LDCovariate(id=kept.covariateId, fileName="", createdAt=created)
    # One that another API stopped shows what the experiment has of its layer now.
    frozen = kept.layerSnapshot if iteration.state is State.STOPPED else None
    status: Any = called(Policy.LAUNCHDARKLY, Status(iteration.state))
    winner = iteration.winner
    return LDIteration(
        _id=id_of_iteration(key, iteration),
        hypothesis=kept.hypothesis,
        status=status,
        createdAt=created,
        canReshuffleTraffic=iteration.reshuffle,
        flags=show_flags(said, iteration.state, state.scene),
        version=iteration.number,
        randomizationUnit=experiment.unit,
        reallocationFrequencyMillis=kept.reallocationFrequencyMillis,
        attributes=kept.attributes,
        layerSnapshot=frozen or snapshot_of(experiment, catalog),
        startedAt=iteration.started_at,
        endedAt=iteration.ended_at,
        winningTreatmentId=winner and id_of_treatment(key, iteration, winner),
        winningReason=iteration.winning_reason or None,
        **more,
    )


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
