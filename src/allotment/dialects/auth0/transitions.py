"""Statuses of an experiment: this API's words, and the commands that lead from one to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from allotment.change.apply import apply
from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    EndIteration,
    PauseIteration,
    ResumeIteration,
    StartIteration,
)
from allotment.change.lifecycle import (
    Policy,
    Status,
    called,
    editable_fields,
    possible_transitions,
    status,
)
from allotment.dialects.auth0.kept import keep, kept
from allotment.dialects.auth0.validation import found
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

STATUSES: Final = tuple(called(Policy.AUTH0, at) for at in Status)

# Nothing leads back to a draft.
TARGETS: Final = tuple(word for word in STATUSES if word != called(Policy.AUTH0, Status.DRAFT))

_EDITED: Final = "edited_while_paused"

# Only experiments on the vendor's own flags have it, and there are none here.
_NOT_OURS: Final = ("default_config",)

_ACTIVE: Final = called(Policy.AUTH0, Status.RUNNING)
_COMPLETED: Final = called(Policy.AUTH0, Status.STOPPED)


def shown_status(experiment: Experiment) -> str:
    """This API's word for where the experiment stands."""
    return called(Policy.AUTH0, status(experiment))


def shown_editable_fields(experiment: Experiment) -> tuple[str, ...]:
    """What a PATCH may change now."""
    fields = editable_fields(Policy.AUTH0, status(experiment))
    return tuple(field for field in fields if field not in _NOT_OURS)


def check_editable(place: Place, field: str, experiment: Experiment) -> None:
    """Raise the 400 for a field that may not be changed now; what may is the lifecycle's to say."""
    if field in shown_editable_fields(experiment):
        return
    word = shown_status(experiment)
    if field == "allocations" and word == _ACTIVE:
        message = "Cannot modify allocations on an active experiment"
        raise Refusal(400, "experiment_requires_pause", message, place.path)
    article = "an" if word[0] in "aeiou" else "a"
    message = f"Cannot modify {field} on {article} {word} experiment"
    raise Refusal(400, "experiment_field_not_editable", message, place.path)


def read_status(
    place: Place, key: str, catalog: Catalog, edits: Sequence[Command], given: Given
) -> list[Command]:
    """The command that leads to the status in a request, none where the experiment has it already.

    It follows the request's `edits`: an experiment is activated as they make it.
    """
    experiment = catalog.experiments[key]
    here = shown_status(experiment)
    if place.value == here:  # also a draft, to which nothing leads back
        return []
    target = place.word(TARGETS)
    if target not in possible_transitions(Policy.AUTH0, status(experiment)):
        message = f"Status transition is not allowed: {here} to {target}"
        if target == _ACTIVE and here == _COMPLETED:
            message = "Completed experiments cannot be reactivated"
        raise Refusal(400, "experiment_status_transition_not_allowed", message, place.path)
    if target == _ACTIVE:
        _check_valid(place, key, apply(catalog, edits, Policy.AUTH0).catalog)
    return [_command(target, experiment, given), *_forget_edits(experiment, edits)]


def note_edit(experiment: Experiment) -> Iterator[Command]:
    """The command that notes an edit of the allocations, if the experiment is paused.

    What this API pauses it can resume as it was; what it edited meanwhile has to be valid.
    """
    if status(experiment) is Status.PAUSED:
        yield keep("experiment", experiment.key, _EDITED, True)


def _forget_edits(experiment: Experiment, edits: Sequence[Command]) -> Iterator[Command]:
    noted = any(each in edits for each in note_edit(experiment))
    if noted or kept(experiment, _EDITED) is not None:
        yield keep("experiment", experiment.key, _EDITED, None)


def _check_valid(place: Place, key: str, catalog: Catalog) -> None:
    errors = found(catalog.experiments[key], catalog)
    if errors:
        reasons = "; ".join(dict.fromkeys(message for _, message in errors))
        message = f"Experiment cannot be activated: validation failed: {reasons}"
        raise Refusal(400, errors[0][0], message, place.path)


def _command(target: str, experiment: Experiment, given: Given) -> Command:
    match target:
        case "active" if status(experiment) is Status.PAUSED:
            return ResumeIteration(experiment.key)
        case "active":
            return StartIteration(experiment.key, at=given.now)
        case "paused":
            return PauseIteration(experiment.key)
        case "completed":
            return EndIteration(experiment.key, at=given.now)
        case _:
            return ArchiveExperiment(experiment.key)
