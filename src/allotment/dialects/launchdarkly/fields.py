"""Fields by their names: which may be changed when, and the instruction that changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from allotment.change.commands import Command, Describe, SetHoldout
from allotment.change.lifecycle import Policy, Status, called, mutable_by_status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.experiments import (
    KEPT_READERS,
    read_holdout,
    read_methodology,
)
from allotment.dialects.launchdarkly.iterations import (
    draft,
    keep_note,
    kept_note,
    read_note,
    said_iteration,
)
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_description, rename
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import ABSENT, Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State

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

# What an iteration has that steers: with these, a draft is laid anew.
_STEERING: Final = ("treatments", "flags", "canReshuffleTraffic", "randomizationUnit")
_NOTED: Final = (
    *("hypothesis", "primarySingleMetricKey", "primaryFunnelKey"),
    *("reallocationFrequencyMillis", "covariateId"),
    *_GROWING,
)

_FIELDS_MAX: Final = 30


def mutable_fields() -> dict[str, dict[str, list[str]]]:
    """By the word for a status and by field, the operations that the lifecycle allows."""
    return {
        word: {field: _operations(field, fixed="treatments" not in fields) for field in fields}
        for word, fields in mutable_by_status(Policy.LAUNCHDARKLY).items()
    }


def show_mutable_fields() -> dict[str, Tree]:
    """The same as it is shown."""
    return {
        word: {field: [*operations] for field, operations in fields.items()}
        for word, fields in mutable_fields().items()
    }


def _operations(field: str, *, fixed: bool) -> list[str]:
    if field in _GROWING and fixed:
        return [_ADD]
    if field in (*_GROWING, *_LISTS):
        return [_ADD, _UPDATE, _REMOVE]
    return [_UPDATE, _REMOVE] if field in _OPTIONAL else [_UPDATE]


def edit_fields(
    place: Place, experiment: Experiment, catalog: Catalog, at: Status
) -> tuple[list[Command], dict[str, Tree] | None]:
    """What edits by field come to: commands about the experiment, and its current iteration as a
    request would say it, edited; None where nothing is said of that.

    They are edits of an experiment at the status.
    """
    commands: list[Command] = []
    said = said_iteration(experiment, experiment.current, catalog)
    edited = dict(said)
    for field, item in place.entries(1, _FIELDS_MAX):
        _check_operation(field, item, at)
        if field in (*_STEERING, *_NOTED):
            new = _edited(item, edited.get(field))
            edited.pop(field, None)
            if new is not None:
                edited[field] = new
        else:
            commands.extend(_read_field(field, item, experiment, catalog))
    return commands, edited if edited != said else None


def read_update_fields(
    place: Place, experiment: Experiment, catalog: Catalog, given: Given, at: Status
) -> list[Command]:
    """The commands of `updateExperimentFields`; `place` is its value."""
    commands, said = edit_fields(place, experiment, catalog, at)
    if said is None:
        return commands
    current = experiment.current
    note, told = kept_note(experiment, current), Place(said, place.path)
    steers = any(name in dict(place.entries(1, _FIELDS_MAX)) for name in _STEERING)
    if steers and current.state is State.DRAFT:
        created = note.get("createdAt")
        since = replace(given, now=created) if isinstance(created, int) else given
        return [*commands, *draft(told, experiment, catalog, since)]
    unsaid = {name: value for name, value in note.items() if name not in _NOTED}
    return [*commands, _keep(experiment, current, {**unsaid, **read_note(told)})]


def _keep(experiment: Experiment, iteration: Iteration, note: dict[str, Tree]) -> Command:
    return keep_note(experiment.key, iteration.number, note)


def _check_operation(field: str, item: Place, at: Status) -> None:
    word = called(Policy.LAUNCHDARKLY, at)
    fields = mutable_fields()
    if not any(field in known for known in fields.values()):
        raise item.refusal("there is no such field to change")
    operation = item.at("operation").word((_ADD, _UPDATE, _REMOVE))
    allowed = fields[word].get(field, [])
    if operation not in allowed:
        may = f"it can be {', '.join(allowed)}" if allowed else "nothing can be done to it then"
        message = f"while {word}, {operation} is not for this field; {may}"
        raise invalid(message, item.path)


def _edited(item: Place, old: Tree) -> Tree:
    """The field's value after an edit; None for nothing any more."""
    operation, value = item.at("operation").value, item.at("value")
    if operation == _UPDATE:
        return value.tree()
    if operation == _REMOVE and not (isinstance(old, list) and value.said):
        return None
    given = value.tree()
    wanted = given if isinstance(given, list) else [given]
    known = old if isinstance(old, list) else []
    if operation == _ADD:
        return [*known, *wanted]
    gone = [_name_of(one) for one in wanted]
    return [one for one in known if _name_of(one) not in gone]


def _name_of(item: Tree) -> Tree:
    """What an item of a list is known by: a metric's key, or the item itself."""
    return item.get("key") if isinstance(item, dict) else item


def _read_field(
    field: str, item: Place, experiment: Experiment, catalog: Catalog
) -> Iterator[Command]:
    """The command that edits what the experiment has beside its iterations."""
    key = experiment.key
    old = NOTES.kept(experiment, field)
    new = _edited(item, old)
    place = Place(ABSENT if new is None else new, f"{item.path}.value")
    if field == "name":
        yield from rename(experiment, place)
    elif field == "description":
        yield Describe("experiment", key, read_description(place))
    elif field == "holdoutId":
        yield SetHoldout(key, read_holdout(place, catalog))
    else:
        yield NOTES.keep(
            "experiment", key, field, _READERS[field](place) if new is not None else None
        )


_READERS: Final[dict[str, Callable[[Place], Tree]]] = {
    **KEPT_READERS,
    "methodology": read_methodology,
}
