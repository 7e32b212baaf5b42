"""Fields by their names: which may be changed when, and the instruction that changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

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
from allotment.dialects.launchdarkly.experiments import holdout_of, kept_of
from allotment.dialects.launchdarkly.iterations import (
    draft,
    keep_note,
    kept_note,
    note_of_input,
    said_iteration,
)
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.listings import LISTING_EVENTS
from allotment.dialects.launchdarkly.patch import renamed
from allotment.dialects.launchdarkly.schema.changes import (
    LDEdit,
    LDEditable,
    LDIterationInput,
    LDNamed,
    LDNoteInput,
)
from allotment.dialects.launchdarkly.schema.experiments import LDKeptExperiment
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.model import read
from allotment.dialects.wire.path import step
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State

# The fields of an experiment. What this API fixes when an iteration starts stands with the
# treatments.
FIELDS: Final[Fields] = {
    **dict.fromkeys(("name", "description", "maintainerId", "tags"), (Event.NAME,)),
    **dict.fromkeys(("metrics", "attributes"), (Event.NAME,)),
    **dict.fromkeys(("methodology", "analysisConfig"), (Event.TREATMENTS,)),
    "randomizationUnit": (Event.UNIT,),
    **dict.fromkeys(("hypothesis", "primarySingleMetricKey"), (Event.TREATMENTS,)),
    "primaryFunnelKey": (Event.TREATMENTS,),
    "treatments": STRUCTURE,
    "flags": LISTING_EVENTS,
    "canReshuffleTraffic": (Event.TREATMENTS,),
    **dict.fromkeys(("reallocationFrequencyMillis", "covariateId"), (Event.TREATMENTS,)),
    "holdoutId": (Event.HOLDOUT,),
}

_ADD: Final = "add"
_UPDATE: Final = "update"
_REMOVE: Final = "remove"

# Lists, to which items are added and from which they are taken; those that an iteration has may
# only grow once its treatments are fixed.
_LISTS: Final = ("tags",)
_GROWING: Final = ("metrics", "attributes")
_OPTIONAL: Final = (
    *("description", "maintainerId", "analysisConfig", "holdoutId"),
    *("primarySingleMetricKey", "primaryFunnelKey"),
    *("reallocationFrequencyMillis", "covariateId"),
)

# What an iteration has that steers: a change of these lays the slots of a draft again.
_STEERING: Final = ("treatments", "flags", "canReshuffleTraffic", "randomizationUnit")
_NOTED: Final = (
    *("hypothesis", "primarySingleMetricKey", "primaryFunnelKey"),
    *("reallocationFrequencyMillis", "covariateId"),
    *_GROWING,
)


@cache
def mutable_fields() -> dict[str, dict[str, list[str]]]:
    """By the word for a status and by field, the operations that the lifecycle allows."""
    by_word: dict[str, dict[str, list[str]]] = {}
    for at in Status:
        fields = editable(Policy.LAUNCHDARKLY, FIELDS, at)
        fixed = "treatments" not in fields
        operations = {field: _operations(field, fixed=fixed) for field in fields}
        by_word.setdefault(called(Policy.LAUNCHDARKLY, at), operations)
    return by_word


def _operations(field: str, *, fixed: bool) -> list[str]:
    if field in _GROWING and fixed:
        return [_ADD]
    if field in (*_GROWING, *_LISTS):
        return [_ADD, _UPDATE, _REMOVE]
    return [_UPDATE, _REMOVE] if field in _OPTIONAL else [_UPDATE]


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
        if field in (*_STEERING, *_NOTED):
            new = _edited(edit, edited.get(field), where)
            edited.pop(field, None)
            if new is not None:
                edited[field] = new
        else:
            new = _edited(edit, NOTES.kept(experiment, field), where)
            commands.extend(_read_field(field, new, path, experiment, catalog))
    return commands, edited if edited != said else None


def update_fields(
    edits: Mapping[str, LDEdit], path: str, experiment: Experiment, catalog: Catalog, given: Given
) -> list[Command]:
    """The commands of `updateExperimentFields`."""
    commands, said = edit_fields(edits, path, experiment, catalog, status(experiment))
    if said is None:
        return commands
    current = experiment.current
    note = kept_note(experiment, current)
    if current.state is State.DRAFT and any(name in edits for name in _STEERING):
        created = note.get("createdAt")
        since = replace(given, now=created) if isinstance(created, int) else given
        body = read(LDIterationInput, said, path)
        return [*commands, *draft(body, path, experiment, catalog, since)]
    unsaid = {name: value for name, value in note.items() if name not in _NOTED}
    new = {**unsaid, **note_of_input(read(LDNoteInput, said, path))}
    return [*commands, keep_note(experiment.key, current.number, new)]


def _check_operation(field: str, edit: LDEdit, path: str, at: Status) -> None:
    word = called(Policy.LAUNCHDARKLY, at)
    fields = mutable_fields()
    if not any(field in known for known in fields.values()):
        raise InvalidInput("there is no such field to change", path)
    allowed = fields[word].get(field, [])
    if edit.operation not in allowed:
        may = f"it can be {', '.join(allowed)}" if allowed else "nothing can be done to it then"
        message = f"while {word}, {edit.operation} is not for this field; {may}"
        raise invalid(message, path)


def _edited(edit: LDEdit, old: Tree, path: str) -> Tree:
    """The field's value after an edit; None for nothing any more."""
    operation, value = edit.operation, edit.value
    if operation == _REMOVE and not (isinstance(old, list) and value is not None):
        return None
    if "value" not in edit.model_fields_set:
        raise InvalidInput("this is required", step(path, "value"))
    if operation == _UPDATE:
        new: Tree = value
        return new
    wanted = value if isinstance(value, list) else [value]
    known = old if isinstance(old, list) else []
    if operation == _ADD:
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
