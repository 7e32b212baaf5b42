"""The instructions of a semantic patch of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    Describe,
    EndIteration,
    RestoreExperiment,
    StartIteration,
)
from allotment.change.lifecycle import Event, Policy, Status, permit, status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.fields import edit_fields, update_fields
from allotment.dialects.launchdarkly.ids import find_treatment, get_experiment
from allotment.dialects.launchdarkly.iterations import draft, reshuffled, said_iteration
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.patch import follow, renamed
from allotment.dialects.launchdarkly.schema.changes import (
    LDArchiveExperiment,
    LDExperimentPatch,
    LDIterationInput,
    LDRestoreExperiment,
    LDSaveAndStart,
    LDStartIteration,
    LDStep,
    LDStopIteration,
    LDUpdateFields,
)
from allotment.dialects.launchdarkly.schema.fields import LDUpdateDescription, LDUpdateName
from allotment.dialects.launchdarkly.snapshots import freeze_snapshot
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.model import read
from allotment.dialects.wire.operation import Call
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.text import is_blank

# Why, where nothing says why an iteration that is edited is replaced by the next.
_SAVED: Final = "saved as a new iteration"
_ARCHIVED: Final = "archivedDate"


def patch_experiment(call: Call[LDExperimentPatch], catalog: Catalog) -> list[Command]:
    """Change an experiment by instructions, all of them or none."""
    key = get_experiment(catalog, call.ids["experimentKey"]).key
    given = Given(call.now, call.fresh)

    def commands(numbered: tuple[int, LDStep], catalog: Catalog) -> list[Command]:
        at, asked = numbered
        path, experiment = f"$.instructions[{at}]", catalog.experiments[key]
        return [*_read(asked, path, experiment, catalog, given)]

    return follow([*enumerate(call.body.instructions)], commands, catalog)


def _read(
    asked: LDStep, path: str, experiment: Experiment, catalog: Catalog, given: Given
) -> Iterator[Command]:
    key = experiment.key
    match asked:
        case LDUpdateName():
            yield from renamed(experiment, asked.value)
        case LDUpdateDescription():
            yield Describe("experiment", key, asked.value)
        case LDStartIteration():
            yield from _start(asked.changeJustification or "", experiment, catalog, given)
        case LDStopIteration():
            yield from _stop(asked, path, experiment, catalog, given)
        case LDArchiveExperiment():
            if not experiment.archived:
                yield ArchiveExperiment(key)
                yield NOTES.keep("experiment", key, _ARCHIVED, given.now)
        case LDRestoreExperiment():
            yield RestoreExperiment(key)
            yield NOTES.keep("experiment", key, _ARCHIVED, None)
        case LDUpdateFields():
            yield from update_fields(asked.value, f"{path}.value", experiment, catalog, given)
        case LDSaveAndStart():
            yield from _save_and_start(asked, f"{path}.value", experiment, catalog, given)


def _start(
    justification: str, experiment: Experiment, catalog: Catalog, given: Given
) -> Iterator[Command]:
    """Start the draft, over the iteration that runs if one does."""
    yield from reshuffled(experiment, given)
    yield from freeze_snapshot(experiment, catalog)
    yield StartIteration(experiment.key, justification, at=given.now)


def _stop(
    asked: LDStopIteration, path: str, experiment: Experiment, catalog: Catalog, given: Given
) -> Iterator[Command]:
    """Stop the iteration that runs; to stop again is refused."""
    permit(Policy.LAUNCHDARKLY, Event.STOP, status(experiment), path)
    winner: str | None = None
    if asked.winningTreatmentId is not None:
        found = find_treatment(experiment.key, experiment.current, asked.winningTreatmentId)
        if found is None:
            message = "the iteration that runs has no treatment with this id"
            raise invalid(message, f"{path}.winningTreatmentId")
        winner = found.key
    yield from freeze_snapshot(experiment, catalog)
    yield EndIteration(experiment.key, winner, asked.winningReason or "", at=given.now)


def _save_and_start(
    asked: LDSaveAndStart, path: str, experiment: Experiment, catalog: Catalog, given: Given
) -> Iterator[Command]:
    """Start a copy of the current iteration with some edits, which are those of a draft."""
    said = None
    if asked.value is not None:
        commands, said = edit_fields(asked.value, path, experiment, catalog, Status.DRAFT)
        yield from commands
    tree = said or said_iteration(experiment, experiment.current, catalog)
    yield from freeze_snapshot(experiment, catalog)
    yield from draft(read(LDIterationInput, tree, path), path, experiment, catalog, given)
    reason = asked.changeJustification or ""
    yield StartIteration(experiment.key, _SAVED if is_blank(reason) else reason, at=given.now)
