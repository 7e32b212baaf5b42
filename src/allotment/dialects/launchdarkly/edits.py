"""Fields by their names: which may be changed when, and the instruction that changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from allotment.change.commands import Command, Describe, SetHoldout
from allotment.change.lifecycle import (
    STRUCTURE,
    Event,
    Fields,
    Policy,
    Status,
    called,
    editable,
    status,
)
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.experiment_flags import LISTING_EVENTS
from allotment.dialects.launchdarkly.experiments import (
    LDEditable,
    LDKeptExperiment,
    LDNamed,
    holdout_of,
    kept_of,
)
from allotment.dialects.launchdarkly.fields import LDBody
from allotment.dialects.launchdarkly.ids import NOTES
from allotment.dialects.launchdarkly.iterations import (
    NOTED,
    STEERING,
    LDIterationInput,
    LDNoteInput,
    draft,
    keep_note,
    kept_note,
    note_of_input,
    said_iteration,
)
from allotment.dialects.launchdarkly.patch import renamed
from allotment.dialects.wire.model import read
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.path import step
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State

Operation = Literal["add", "update", "remove"]

_PLAIN: Final[list[Operation]] = ["update"]
_OPTIONAL: Final[list[Operation]] = ["update", "remove"]
# A list, to which items are added and from which they are taken.
_LIST: Final[list[Operation]] = ["add", "update", "remove"]
# A list of an iteration, which may only grow once the treatments are fixed.
_GROWING: Final[list[Operation]] = [*_LIST]
_GROWN: Final[list[Operation]] = ["add"]

# What this API fixes when an iteration starts stands with the treatments.
_FIXED: Final = (Event.TREATMENTS,)
_NEVER: Final = (Event.NAME,)

# The fields of an experiment: what it is to change each, and the operations that it has.
_EDITS: Final[dict[str, tuple[tuple[Event, ...], list[Operation]]]] = {
    "name": (_NEVER, _PLAIN),
    "description": (_NEVER, _OPTIONAL),
    "maintainerId": (_NEVER, _OPTIONAL),
    "tags": (_NEVER, _LIST),
    "metrics": (_NEVER, _GROWING),
    "attributes": (_NEVER, _GROWING),
    "methodology": (_FIXED, _PLAIN),
    "analysisConfig": (_FIXED, _OPTIONAL),
    "randomizationUnit": ((Event.UNIT,), _PLAIN),
    "hypothesis": (_FIXED, _PLAIN),
    "primarySingleMetricKey": (_FIXED, _OPTIONAL),
    "primaryFunnelKey": (_FIXED, _OPTIONAL),
    "treatments": (STRUCTURE, _PLAIN),
    "flags": (LISTING_EVENTS, _PLAIN),
    "canReshuffleTraffic": (_FIXED, _PLAIN),
    "reallocationFrequencyMillis": (_FIXED, _OPTIONAL),
    "covariateId": (_FIXED, _OPTIONAL),
    "holdoutId": ((Event.HOLDOUT,), _OPTIONAL),
}
FIELDS: Final[Fields] = {field: events for field, (events, _) in _EDITS.items()}


class LDEdit(LDBody):
    """An edit of a field."""

    operation: Operation
    value: Any = None


Edits = Annotated[dict[str, LDEdit], Field(min_length=1, max_length=30)]


@cache
def mutable_fields() -> dict[str, dict[str, list[Operation]]]:
    """By the word for a status and by field, the operations that the lifecycle allows."""
    by_word: dict[str, dict[str, list[Operation]]] = {}
    for at in Status:
        fields = editable(Policy.LAUNCHDARKLY, FIELDS, at)
        operations = {field: _EDITS[field][1] for field in fields}
        if "treatments" not in fields:
            operations |= {field: _GROWN for field in fields if operations[field] is _GROWING}
        by_word.setdefault(called(Policy.LAUNCHDARKLY, at), operations)
    return by_word


def edit_fields(
    edits: Mapping[str, LDEdit], path: str, experiment: Experiment, catalog: Catalog, at: Status
) -> tuple[list[Command], dict[str, Tree] | None]:
    """What edits by field come to: commands about the experiment, and its current iteration as a
    request would say it, edited; None where nothing is said of that.

    They are edits of an experiment at the status.
    """
    commands: list[Command] = []
    said = said_iteration(experiment, experiment.current, catalog)
    edited = dict(said)
    for field, edit in edits.items():
        where = step(path, field)
        _check_operation(field, edit, where, at)
        if field in LDIterationInput.model_fields:
            new = _edited(edit, edited.pop(field, None), where)
            if new is not None:
                edited[field] = new
        else:
            new = _edited(edit, NOTES.kept(experiment, field), where)
            commands.extend(_read_field(field, new, path, experiment, catalog))
    return commands, edited if edited != said else None


def update_fields(
    edits: Mapping[str, LDEdit],
    path: str,
    experiment: Experiment,
    catalog: Catalog,
    call: Call[Any],
) -> list[Command]:
    """The commands of `updateExperimentFields`."""
    commands, said = edit_fields(edits, path, experiment, catalog, status(experiment))
    if said is None:
        return commands
    current = experiment.current
    note = kept_note(experiment, current)
    if current.state is State.DRAFT and edits.keys() & STEERING:
        created = note.get("createdAt")
        since = replace(call, now=created) if isinstance(created, int) else call
        body = read(LDIterationInput, said, path)
        return [*commands, *draft(body, path, experiment, catalog, since)]
    unsaid = {name: value for name, value in note.items() if name not in NOTED}
    new = {**unsaid, **note_of_input(read(LDNoteInput, said, path))}
    return [*commands, keep_note(experiment.key, current.number, new)]


def _check_operation(field: str, edit: LDEdit, path: str, at: Status) -> None:
    word = called(Policy.LAUNCHDARKLY, at)
    if field not in FIELDS:
        raise InvalidInput("there is no such field to change", path)
    allowed = mutable_fields()[word].get(field, [])
    if edit.operation not in allowed:
        may = f"it can be {', '.join(allowed)}" if allowed else "nothing can be done to it then"
        message = f"while {word}, {edit.operation} is not for this field; {may}"
        raise invalid(message, path)


def _edited(edit: LDEdit, old: Tree, path: str) -> Tree:
    """The field's value after an edit; None for nothing any more."""
    value: Tree = edit.value
    if edit.operation == "remove" and not (isinstance(old, list) and value is not None):
        return None
    if "value" not in edit.model_fields_set:
        raise InvalidInput("this is required", step(path, "value"))
    if edit.operation == "update":
        return value
    wanted = value if isinstance(value, list) else [value]
    known = old if isinstance(old, list) else []
    if edit.operation == "add":
        return [*known, *wanted]
    gone = [_name_of(one) for one in wanted]
    return [one for one in known if _name_of(one) not in gone]


def _name_of(item: Tree) -> Tree:
    """What an item of a list is known by: a metric's key, or the item itself."""
    return item.get("key") if isinstance(item, dict) else item


def _read_field(
    field: str, new: Tree, path: str, experiment: Experiment, catalog: Catalog
) -> Iterator[Command]:
    """The command that edits what the experiment has beside its iterations."""
    key = experiment.key
    if field == "name":
        yield from renamed(experiment, read(LDNamed, {field: new}, path).name)
        return
    body = read(LDEditable, {field: new}, path)
    if field == "description":
        yield Describe("experiment", key, body.description or "")
    elif field == "holdoutId":
        yield SetHoldout(key, holdout_of(body.holdoutId, step(path, field), catalog))
    else:
        said = kept_of(body).get(field)
        shown = NOTES.read_fields(experiment, LDKeptExperiment).plain()[field]
        if said is None or said != shown:  # what is shown may be a default that is not kept
            yield NOTES.keep("experiment", key, field, said)
