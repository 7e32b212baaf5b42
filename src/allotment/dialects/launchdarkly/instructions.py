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
from allotment.dialects.launchdarkly.fields import edit_fields, read_update_fields
from allotment.dialects.launchdarkly.ids import ID_MAX, find_treatment, get_experiment
from allotment.dialects.launchdarkly.iterations import draft, reshuffled, said_iteration
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_new_description, rename
from allotment.dialects.launchdarkly.patch import read_instructions
from allotment.dialects.launchdarkly.snapshots import freeze_snapshot
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.limits import TEXT_CHARACTERS_MAX
from allotment.model.text import is_blank

# Why, where nobody says why an iteration that is edited is replaced by the next.
_SAVED: Final = "saved as a new iteration"


def read_update_experiment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of all instructions of a semantic patch."""
    key = get_experiment(catalog, asked.ids["experimentKey"]).key

    def named(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
        return rename(catalog.experiments[key], step.at("value"))

    def describe(step: Place, _catalog: Catalog, _given: Given) -> list[Command]:
        return [Describe("experiment", key, read_new_description(step.at("value")))]

    def start(step: Place, catalog: Catalog, given: Given) -> list[Command]:
        return [*_start(_reason(step), catalog.experiments[key], catalog, given)]

    def stop(step: Place, catalog: Catalog, given: Given) -> list[Command]:
        return [*_stop(step, catalog.experiments[key], catalog, given)]

    def archive(_step: Place, catalog: Catalog, given: Given) -> list[Command]:
        if catalog.experiments[key].archived:
            return []
        return [ArchiveExperiment(key), NOTES.keep("experiment", key, _ARCHIVED, given.now)]

    def restore(_step: Place, _catalog: Catalog, _given: Given) -> list[Command]:
        return [RestoreExperiment(key), NOTES.keep("experiment", key, _ARCHIVED, None)]

    def update(step: Place, catalog: Catalog, given: Given) -> list[Command]:
        experiment = catalog.experiments[key]
        at = status(experiment)
        return read_update_fields(step.at("value"), experiment, catalog, given, at)

    def save_and_start(step: Place, catalog: Catalog, given: Given) -> list[Command]:
        return [*_save_and_start(step, catalog.experiments[key], catalog, given)]

    kinds = {
        "updateName": named,
        "updateDescription": describe,
        "startIteration": start,
        "stopIteration": stop,
        "archiveExperiment": archive,
        "restoreExperiment": restore,
        "updateExperimentFields": update,
        "saveAndStartNewIteration": save_and_start,
    }
    return read_instructions(asked.body, kinds, catalog, asked.given)


_ARCHIVED: Final = "archivedDate"


def _reason(step: Place) -> str:
    place = step.at("changeJustification")
    return place.text(0, TEXT_CHARACTERS_MAX) if place.said else ""


def _start(
    justification: str, experiment: Experiment, catalog: Catalog, given: Given
) -> Iterator[Command]:
    """Start the draft, over the iteration that runs if one does."""
    yield from reshuffled(experiment, given)
    yield from freeze_snapshot(experiment, catalog)
    yield StartIteration(experiment.key, justification, at=given.now)


def _stop(step: Place, experiment: Experiment, catalog: Catalog, given: Given) -> Iterator[Command]:
    """Stop the iteration that runs; to stop again is refused, whoever won."""
    permit(Policy.LAUNCHDARKLY, Event.STOP, status(experiment), step.path)
    place, reason = step.at("winningTreatmentId"), step.at("winningReason")
    winner: str | None = None
    if place.said:
        found = find_treatment(experiment.key, experiment.current, place.text(1, ID_MAX))
        if found is None:
            message = "the iteration that runs has no treatment with this id"
            raise invalid(message, place.path)
        winner = found.key
    text = reason.text(0, TEXT_CHARACTERS_MAX) if reason.said else ""
    yield from freeze_snapshot(experiment, catalog)
    yield EndIteration(experiment.key, winner, text, at=given.now)


def _save_and_start(
    step: Place, experiment: Experiment, catalog: Catalog, given: Given
) -> Iterator[Command]:
    """Start a copy of the current iteration with some edits, which are those of a draft."""
    value = step.at("value")
    said = None
    if value.said:
        commands, said = edit_fields(value, experiment, catalog, Status.DRAFT)
        yield from commands
    told = said or said_iteration(experiment, experiment.current, catalog)
    yield from freeze_snapshot(experiment, catalog)
    yield from draft(Place(told, value.path), experiment, catalog, given)
    reason = _reason(step)
    yield StartIteration(experiment.key, _SAVED if is_blank(reason) else reason, at=given.now)
