"""Experiments: what a request creates one with, and the edits of its fields by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from allotment.change.commands import Command, Create, Describe, SetHoldout
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
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.experiment_flags import LISTING_EVENTS, list_in_flags
from allotment.dialects.launchdarkly.fields import (
    UNIT,
    Description,
    Key,
    LDBody,
    Name,
    Tags,
    Text,
    Word,
)
from allotment.dialects.launchdarkly.ids import NO_MEMBER, NOTES, find_holdout
from allotment.dialects.launchdarkly.iterations import (
    NOTED,
    STEERING,
    LDIterationInput,
    LDNoteInput,
    check_primary,
    draft,
    keep_note,
    kept_note,
    note_of_input,
    note_path,
    read_iteration,
    said_iteration,
)
from allotment.dialects.launchdarkly.patch import renamed
from allotment.dialects.launchdarkly.rollouts import check_shares, new_draw
from allotment.dialects.wire.model import LEFT_OUT, read
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree, step
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State

Methodology = Literal["bayesian", "frequentist", "export_only"]
Source = Literal["launchdarkly", "snowflake"]
Correction = Literal["bonferroni", "benjamini-hochberg"]
Corrected = Literal["variations", "variations-and-metrics", "metrics"]


class LDAnalysis(LDBody):
    """The settings of an analysis that is done elsewhere."""

    bayesianThreshold: Text | None = LEFT_OUT
    significanceThreshold: Text | None = LEFT_OUT
    testDirection: Text | None = LEFT_OUT
    multipleComparisonCorrectionMethod: Correction | None = LEFT_OUT
    multipleComparisonCorrectionScope: Corrected | None = LEFT_OUT
    sequentialTestingEnabled: bool | None = LEFT_OUT


class LDNamed(LDBody):
    """The name of an experiment."""

    name: Name


class LDEditable(LDBody):
    """What an experiment has beside its key, its name and its iterations, and can be changed."""

    description: Description | None = LEFT_OUT
    maintainerId: Word | None = LEFT_OUT
    holdoutId: Text | None = LEFT_OUT
    tags: Tags | None = LEFT_OUT
    methodology: Methodology | None = LEFT_OUT
    analysisConfig: LDAnalysis | None = LEFT_OUT


class LDExperimentPost(LDNamed, LDEditable):
    """The body that creates an experiment with its first iteration."""

    key: Key
    iteration: LDIterationInput
    dataSource: Source | None = LEFT_OUT
    type: Literal["experiment", "mab"] | None = LEFT_OUT


class LDKeptExperiment(LDBody):
    """What is kept of an experiment, each field at its own path."""

    methodology: Methodology = "frequentist"
    dataSource: Source = "launchdarkly"
    type: Literal["experiment", "mab"] = "experiment"
    tags: list[str] = Field(default=[])
    maintainerId: str = NO_MEMBER
    archivedDate: int | None = None
    analysisConfig: LDAnalysis | None = None


def create_experiment(call: Call[LDExperimentPost], catalog: Catalog) -> list[Command]:
    """Create an experiment with its first iteration, a draft, and list it with its flags."""
    body = call.body
    if body.key in catalog.experiments:
        raise taken("experiment")
    check_primary(body.iteration, "$.iteration")
    said = body.iteration
    dealt, listed, note = read_iteration(said, "$.iteration", catalog, None, call.now)
    draw = new_draw(call)
    check_shares(draw.profile, dealt.allocations)
    drawn = replace(dealt, salt=draw.salt, profile=draw.profile)
    first = replace(drawn, number=1, reshuffle=said.reshuffle)
    kind = body.type or "experiment"
    kept: dict[str, Tree] = {
        "type": kind,
        "dataSource": body.dataSource or "launchdarkly",
        "methodology": "bayesian" if kind == "mab" else "frequentist",
        **kept_of(body),
    }
    experiment = Experiment(
        body.key,
        (first,),
        body.name,
        body.description or "",
        unit=said.randomizationUnit or UNIT,
        holdout=holdout_of(body.holdoutId, "$.holdoutId", catalog),
        kept=NOTES.on_new({**kept, note_path(1): note}),
    )
    return [Create(experiment), *list_in_flags(body.key, listed, None, catalog)]


_KEPT: Final = {"maintainerId", "tags", "methodology", "analysisConfig"}


def kept_of(body: LDEditable) -> dict[str, Any]:
    """What is said that the model lacks."""
    return body.model_dump(mode="json", include=_KEPT)


def holdout_of(holdout_id: str | None, path: str, catalog: Catalog) -> str | None:
    """The key of the holdout that an id names; None for none."""
    if not holdout_id:
        return None
    holdout = find_holdout(catalog, holdout_id)
    if holdout is None:
        raise invalid("there is no holdout with this id", path)
    return holdout.key


Operation = Literal["add", "update", "remove"]

_PLAIN: Final[list[Operation]] = ["update"]
_OPTIONAL: Final[list[Operation]] = ["update", "remove"]
# A list, to which items are added and from which they are taken.
_LIST: Final[list[Operation]] = ["add", "update", "remove"]

# The lists of an iteration may only grow once its treatments are fixed.
_GROWING: Final = ("metrics", "attributes")
_GROWN: Final[list[Operation]] = ["add"]

# What can be changed whenever a name can, and what this API fixes with the treatments.
_FREE: Final = (Event.NAME,)
_FIXED: Final = (Event.TREATMENTS,)

# The fields of an experiment: what it is to change each, and the operations that it has.
_EDITS: Final[dict[str, tuple[tuple[Event, ...], list[Operation]]]] = {
    "name": (_FREE, _PLAIN),
    "description": (_FREE, _OPTIONAL),
    "maintainerId": (_FREE, _OPTIONAL),
    "tags": (_FREE, _LIST),
    "metrics": (_FREE, _LIST),
    "attributes": (_FREE, _LIST),
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
            operations |= {field: _GROWN for field in _GROWING if field in fields}
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
