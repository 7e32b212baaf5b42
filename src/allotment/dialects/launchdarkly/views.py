"""Experiments as this API shows them: one, in lists of an environment, and of a whole project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

from allotment.change.lifecycle import Policy, Status, called
from allotment.dialects.launchdarkly.fields import mutable_fields
from allotment.dialects.launchdarkly.ids import id_of, id_of_iteration, id_of_treatment
from allotment.dialects.launchdarkly.iterations import before_draft, kept_note
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import Scene, links_of_window, links_to
from allotment.dialects.launchdarkly.listings import said_flags, show_flags, uses_flag
from allotment.dialects.launchdarkly.metrics import show_metrics, show_primary, show_secondary
from allotment.dialects.launchdarkly.schema.experiments import (
    EXPANDS,
    LDCovariate,
    LDExpandQuery,
    LDExperiment,
    LDExperimentQuery,
    LDExperiments,
    LDIteration,
    LDKeptExperiment,
    LDKeptIteration,
    LDMutableFields,
)
from allotment.dialects.launchdarkly.snapshots import show_snapshot
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.launchdarkly.treatments import show_treatments
from allotment.dialects.wire.notes import without_wrong
from allotment.dialects.wire.operation import Noun
from allotment.dialects.wire.version import Version, Versions
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration

# The vendor's words, each once: two statuses of ours are running there, and two are stopped.
STATUSES: Final = tuple(dict.fromkeys(called(Policy.LAUNCHDARKLY, at) for at in Status))

Wanted: TypeAlias = Callable[[Experiment, Catalog], bool]

_FILTER: Final = "query.filter"


def get_experiment(state: LDState, noun: Noun, query: LDExpandQuery) -> LDExperiment:
    """An experiment, with what is asked for of it."""
    experiment, version = state.catalog.experiments[noun.key], state.versions[noun.name]
    return show_experiment(experiment, state.catalog, version, state.scene, query.expand or ())


def show_changed(state: LDState, noun: Noun) -> LDExperiment:
    """An experiment after a change, with everything."""
    experiment, version = state.catalog.experiments[noun.key], state.versions[noun.name]
    return show_experiment(experiment, state.catalog, version, state.scene)


def show_draft(state: LDState, noun: Noun) -> LDIteration:
    """The draft of an experiment."""
    experiment, version = state.catalog.experiments[noun.key], state.versions[noun.name]
    draft = experiment.draft or experiment.current
    return show_iteration(experiment, draft, state.catalog, version, state.scene)


def get_experiments(query: LDExperimentQuery, state: LDState) -> LDExperiments:
    """A window of the experiments of an environment by key, without archived ones unless asked."""
    places = [(state.scene, state.catalog, state.versions)]
    return _list(query, places, state.scene.href("experiments"))


def get_experiments_any_env(query: LDExperimentQuery, state: LDState) -> LDExperiments:
    """A window of the experiments of all environments of a project that the token reaches."""
    project = state.scene.project
    places = [
        (Scene(project, key), each.catalog, each.versions) for key, each in state.project.items()
    ]
    return _list(query, places, state.scene.of_project("experiments"))


def _list(
    query: LDExperimentQuery, places: Iterable[tuple[Scene, Catalog, Versions]], href: str
) -> LDExperiments:
    is_wanted = _wanted(query)
    found = [
        (key, index, place)
        for index, place in enumerate(places)
        for key, one in place[1].experiments.items()
        if is_wanted(one, place[1])
    ]
    found.sort(key=lambda each: each[:2])
    items = [
        show_experiment(
            catalog.experiments[key],
            catalog,
            versions[f"experiment:{key}"],
            scene,
            query.expand or (),
        )
        for key, _, (scene, catalog, versions) in query.of(found)
    ]
    return LDExperiments(
        items=items,
        total_count=len(found),
        _links=links_of_window(href, query, len(found), _beside(query)),
    )


def _beside(query: LDExperimentQuery) -> dict[str, str]:
    """What the query says beside its window."""
    said = {
        "filter": query.filter,
        "expand": None if query.expand is None else ",".join(query.expand),
        "lifecycleState": None if query.lifecycleState is None else ",".join(query.lifecycleState),
    }
    return {name: text for name, text in said.items() if text is not None}


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


def show_experiment(
    experiment: Experiment,
    catalog: Catalog,
    version: Version,
    scene: Scene,
    expand: Collection[str] = EXPANDS,
) -> LDExperiment:
    """The experiment with what is asked for; what is unset or empty is left out."""
    key, holdout = experiment.key, experiment.holdout
    kept = NOTES.read_fields(experiment, LDKeptExperiment)
    archived = kept.archivedDate or version.updated_at
    analysis = kept.analysisConfig if "analysisConfig" in expand else None
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
        analysisConfig=analysis if analysis and analysis.plain() else None,
        mutableFieldsByStatus=LDMutableFields.model_validate(mutable_fields())
        if "mutableFieldsByStatus" in expand
        else None,
        **_iterations(experiment, catalog, version, scene, expand),
    )


def _iterations(
    experiment: Experiment,
    catalog: Catalog,
    version: Version,
    scene: Scene,
    expand: Collection[str],
) -> Mapping[str, Any]:
    """The iteration that runs, else the one that did last; those before it; the one to come."""

    def show(iteration: Iteration) -> LDIteration:
        return show_iteration(experiment, iteration, catalog, version, scene, expand)

    current, draft = before_draft(experiment), experiment.draft
    previous = [one for one in reversed(experiment.iterations) if one not in (current, draft)]
    has_previous = "previousIterations" in expand and bool(previous)
    return {
        "currentIteration": None if current is None else show(current),
        "draftIteration": show(draft) if draft is not None and "draftIteration" in expand else None,
        "previousIterations": [show(one) for one in previous] if has_previous else None,
    }


def kept_iteration(experiment: Experiment, iteration: Iteration) -> LDKeptIteration:
    """What is kept of an iteration."""
    return without_wrong(LDKeptIteration, kept_note(experiment, iteration))


def show_iteration(  # noqa: PLR0913, PLR0917  # what is shown, and of where
    experiment: Experiment,
    iteration: Iteration,
    catalog: Catalog,
    version: Version,
    scene: Scene,
    expand: Collection[str] = EXPANDS,
) -> LDIteration:
    """One of the experiment's iterations."""
    note, kept = kept_note(experiment, iteration), kept_iteration(experiment, iteration)
    said = said_flags(experiment, iteration, note, catalog)
    created = version.created_at if kept.createdAt is None else kept.createdAt
    winner, covariate = iteration.winner, kept.covariateId
    metrics: dict[str, Any] = {}
    if "secondaryMetrics" in expand:
        metrics["metrics"] = show_metrics(kept, scene, catalog)
        metrics["secondaryMetrics"] = show_secondary(kept, scene, catalog)
    status: Any = called(Policy.LAUNCHDARKLY, Status(iteration.state))
    return LDIteration(
        _id=id_of_iteration(experiment.key, iteration),
        hypothesis=kept.hypothesis,
        status=status,
        createdAt=created,
        canReshuffleTraffic=iteration.reshuffle,
        flags=show_flags(said, iteration.state, scene),
        version=iteration.number,
        randomizationUnit=experiment.unit,
        reallocationFrequencyMillis=kept.reallocationFrequencyMillis,
        attributes=kept.attributes,
        layerSnapshot=show_snapshot(experiment, iteration, kept, catalog),
        startedAt=iteration.started_at,
        endedAt=iteration.ended_at,
        winningTreatmentId=winner and id_of_treatment(experiment.key, iteration, winner),
        winningReason=iteration.winning_reason or None,
        covariateInfo=None
        if covariate is None
        else LDCovariate(id=covariate, fileName="", createdAt=created),
        treatments=show_treatments(experiment, iteration) if "treatments" in expand else None,
        **show_primary(kept, scene, catalog),
        **metrics,
    )
