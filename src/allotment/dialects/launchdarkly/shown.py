"""An experiment as this API spells it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from allotment.change.lifecycle import Policy, Status, called
from allotment.dialects.launchdarkly.fields import show_mutable_fields
from allotment.dialects.launchdarkly.ids import (
    NOBODY,
    id_of,
    id_of_iteration,
    id_of_treatment,
)
from allotment.dialects.launchdarkly.iterations import before_draft, kept_note
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import Scene, links
from allotment.dialects.launchdarkly.listings import said_flags, show_flags
from allotment.dialects.launchdarkly.metrics import show_metrics, show_primary, show_secondary
from allotment.dialects.launchdarkly.snapshots import show_snapshot
from allotment.dialects.launchdarkly.treatments import show_treatments
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration

# What an answer has only where it is asked for.
EXPANDS: Final = (
    "previousIterations",
    "draftIteration",
    "secondaryMetrics",
    "treatments",
    "analysisConfig",
    "mutableFieldsByStatus",
)

# What an experiment that was made elsewhere shows of what it lacks.
_USUAL: Final[dict[str, Tree]] = {
    "methodology": "frequentist",
    "dataSource": "launchdarkly",
    "type": "experiment",
    "tags": [],
}
_KEPT_IN_NOTE: Final = ("reallocationFrequencyMillis", "attributes")


def show_experiment(
    experiment: Experiment,
    catalog: Catalog,
    version: Version,
    scene: Scene,
    expand: Collection[str] = EXPANDS,
) -> dict[str, Tree]:
    """The experiment with what is asked for; what is unset or empty is left out."""
    key = experiment.key
    maintainer = NOTES.kept(experiment, "maintainerId")
    shown: dict[str, Tree] = {
        "_id": id_of("experiment", key),
        "key": key,
        "name": experiment.name or key,
        "description": experiment.description,
        "_maintainerId": maintainer if isinstance(maintainer, str) else NOBODY,
        "_creationDate": version.created_at,
        "environmentKey": scene.environment,
        "_links": links(parent=scene.href(), self=scene.href("experiments", key)),
    }
    for name, usual in _USUAL.items():
        kept = NOTES.kept(experiment, name)
        shown[name] = usual if kept is None else kept
    if experiment.holdout is not None:
        shown["holdoutId"] = id_of("holdout", experiment.holdout)
    if experiment.archived:
        archived = NOTES.kept(experiment, "archivedDate")
        shown["archivedDate"] = archived if isinstance(archived, int) else version.updated_at
    shown |= _show_iterations(experiment, catalog, version, scene, expand)
    analysis = NOTES.kept(experiment, "analysisConfig")
    if "analysisConfig" in expand and analysis:
        shown["analysisConfig"] = analysis
    if "mutableFieldsByStatus" in expand:
        shown["mutableFieldsByStatus"] = show_mutable_fields()
    return shown


def _show_iterations(
    experiment: Experiment,
    catalog: Catalog,
    version: Version,
    scene: Scene,
    expand: Collection[str],
) -> dict[str, Tree]:
    """The iteration that runs, else the one that did last; those before it; the one to come."""

    def show(iteration: Iteration) -> dict[str, Tree]:
        return show_iteration(experiment, iteration, catalog, version, scene, expand)

    shown: dict[str, Tree] = {}
    current, draft = before_draft(experiment), experiment.draft
    if current is not None:
        shown["currentIteration"] = show(current)
    if "draftIteration" in expand and draft is not None:
        shown["draftIteration"] = show(draft)
    previous = [one for one in experiment.iterations if one not in (current, draft)]
    if "previousIterations" in expand and previous:
        shown["previousIterations"] = [show(one) for one in reversed(previous)]
    return shown


def show_iteration(  # noqa: PLR0913, PLR0917  # what is shown, and of where
    experiment: Experiment,
    iteration: Iteration,
    catalog: Catalog,
    version: Version,
    scene: Scene,
    expand: Collection[str] = EXPANDS,
) -> dict[str, Tree]:
    """One of the experiment's iterations."""
    note = kept_note(experiment, iteration)
    created = note.get("createdAt")
    shown: dict[str, Tree] = {
        "_id": id_of_iteration(experiment.key, iteration),
        "hypothesis": note.get("hypothesis", ""),
        "status": called(Policy.LAUNCHDARKLY, Status(iteration.state)),
        "createdAt": created if isinstance(created, int) else version.created_at,
        "canReshuffleTraffic": iteration.reshuffle,
        "flags": show_flags(
            said_flags(experiment, iteration, note, catalog), iteration.state, scene
        ),
        "version": iteration.number,
        "randomizationUnit": experiment.unit,
        **{name: note[name] for name in _KEPT_IN_NOTE if name in note},
        **show_primary(note, scene, catalog),
        **show_snapshot(experiment, iteration, note, catalog),
    }
    moments = (("startedAt", iteration.started_at), ("endedAt", iteration.ended_at))
    shown |= {name: moment for name, moment in moments if moment is not None}
    if iteration.winner is not None:
        winner = id_of_treatment(experiment.key, iteration, iteration.winner)
        shown["winningTreatmentId"] = winner
    if iteration.winning_reason:
        shown["winningReason"] = iteration.winning_reason
    if "covariateId" in note:
        shown["covariateInfo"] = {
            "id": note["covariateId"],
            "fileName": "",
            "createdAt": shown["createdAt"],
        }
    if "treatments" in expand:
        shown["treatments"] = show_treatments(experiment, iteration)
    if "secondaryMetrics" in expand:
        shown["metrics"] = show_metrics(note, scene, catalog)
        shown["secondaryMetrics"] = show_secondary(note, scene, catalog)
    return shown
