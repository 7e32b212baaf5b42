"""The instructions of a semantic patch of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    EndIteration,
    RestoreExperiment,
    StartIteration,
)
from allotment.change.lifecycle import Event, Policy, Status, permit, status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.experiments import Edits, edit_fields, update_fields
from allotment.dialects.launchdarkly.fields import LDBody, LongText
from allotment.dialects.launchdarkly.ids import NOTES, by_key, id_of_treatment
from allotment.dialects.launchdarkly.iterations import (
    LDIterationInput,
    draft,
    keep_note,
    kept_note,
    reshuffled,
    said_iteration,
)
from allotment.dialects.launchdarkly.layers import snapshot_of
from allotment.dialects.launchdarkly.patch import (
    SOME,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    follow,
)
from allotment.dialects.launchdarkly.treatments import GivenId
from allotment.dialects.wire.model import LEFT_OUT, read
from allotment.dialects.wire.operation import Call
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.text import is_blank

# Why, where nothing says why an iteration that is edited is replaced by the next.
_SAVED: Final = "saved as a new iteration"
_ARCHIVED: Final = "archivedDate"


class LDStartIteration(LDBody):
    """Starts the draft, over the iteration that runs if one does."""

    kind: Literal["startIteration"]
    changeJustification: LongText | None = LEFT_OUT


class LDStopIteration(LDBody):
    """Stops the iteration that runs."""

    kind: Literal["stopIteration"]
    winningTreatmentId: GivenId | None = LEFT_OUT
    winningReason: LongText | None = LEFT_OUT


class LDArchiveExperiment(LDBody):
    """Archives or restores the experiment."""

    kind: Literal["archiveExperiment", "restoreExperiment"]


class LDUpdateFields(LDBody):
    """Changes fields by their names."""

    kind: Literal["updateExperimentFields"]
    value: Edits


class LDSaveAndStart(LDBody):
    """Starts a copy of the current iteration with edits."""

    kind: Literal["saveAndStartNewIteration"]
    changeJustification: LongText | None = LEFT_OUT
    value: Edits | None = LEFT_OUT


_Own = LDStartIteration | LDStopIteration | LDArchiveExperiment | LDUpdateFields | LDSaveAndStart
LDStep = LDUpdateName | LDUpdateDescription | _Own


class LDExperimentPatch(LDPatch):
    """The instructions that change an experiment."""

    instructions: Annotated[list[Annotated[LDStep, Field(discriminator="kind")]], SOME]


def patch_experiment(call: Call[LDExperimentPatch], catalog: Catalog) -> list[Command]:
    """Change an experiment by instructions, all of them or none."""
    noun = by_key("experiment")(call.ids, catalog)

    def commands(step: _Own, path: str, catalog: Catalog) -> Iterator[Command]:
        return _read(step, path, catalog.experiments[noun.key], catalog, call)

    return follow(call.body.instructions, noun, commands, catalog)


def _read(
    step: _Own, path: str, experiment: Experiment, catalog: Catalog, call: Call[Any]
) -> Iterator[Command]:
    match step:
        case LDStartIteration():
            reason = step.changeJustification or ""
            yield from reshuffled(experiment, call)
            yield from _freeze_snapshot(experiment, catalog)
            yield StartIteration(experiment.key, reason, at=call.now)
        case LDStopIteration():
            yield from _stop(step, path, experiment, catalog, call.now)
        case LDArchiveExperiment():
            yield from _archive(step.kind == "archiveExperiment", experiment, call.now)
        case LDUpdateFields():
            yield from update_fields(step.value, f"{path}.value", experiment, catalog, call)
        case LDSaveAndStart():
            yield from _save_and_start(step, f"{path}.value", experiment, catalog, call)


def _archive(archives: bool, experiment: Experiment, now: int) -> Iterator[Command]:
    if not archives:
        yield RestoreExperiment(experiment.key)
        yield NOTES.keep("experiment", experiment.key, _ARCHIVED, None)
    elif not experiment.archived:
        yield ArchiveExperiment(experiment.key)
        yield NOTES.keep("experiment", experiment.key, _ARCHIVED, now)


def _stop(
    step: LDStopIteration, path: str, experiment: Experiment, catalog: Catalog, now: int
) -> Iterator[Command]:
    """Stop the iteration that runs; to stop again is refused."""
    permit(Policy.LAUNCHDARKLY, Event.STOP, status(experiment), path)
    winner: str | None = None
    if step.winningTreatmentId is not None:
        current = experiment.current
        for one in current.treatments:
            if id_of_treatment(experiment.key, current, one.key) == step.winningTreatmentId:
                winner = one.key
        if winner is None:
            message = "the iteration that runs has no treatment with this id"
            raise invalid(message, f"{path}.winningTreatmentId")
    yield from _freeze_snapshot(experiment, catalog)
    yield EndIteration(experiment.key, winner, step.winningReason or "", at=now)


def _save_and_start(
    step: LDSaveAndStart, path: str, experiment: Experiment, catalog: Catalog, call: Call[Any]
) -> Iterator[Command]:
    """Start a copy of the current iteration with some edits, which are those of a draft."""
    said = None
    if step.value is not None:
        commands, said = edit_fields(step.value, path, experiment, catalog, Status.DRAFT)
        yield from commands
    tree = said or said_iteration(experiment, experiment.current, catalog)
    yield from _freeze_snapshot(experiment, catalog)
    yield from draft(read(LDIterationInput, tree, path), path, experiment, catalog, call)
    reason = step.changeJustification or ""
    yield StartIteration(experiment.key, _SAVED if is_blank(reason) else reason, at=call.now)


def _freeze_snapshot(experiment: Experiment, catalog: Catalog) -> Iterator[Command]:
    """The command that keeps what the live iteration has of its layer, as it is being stopped."""
    live, snapshot = experiment.live, snapshot_of(experiment, catalog)
    if live is not None and snapshot is not None:
        note = {**kept_note(experiment, live), "layerSnapshot": snapshot.plain()}
        yield keep_note(experiment.key, live.number, note)
