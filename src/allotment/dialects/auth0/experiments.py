"""Changes of experiments: one iteration each, which draws by device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command, Create, SetAllocations, SetEnrolment, SetTreatments
from allotment.change.lifecycle import Event, Policy, Status, allows, called, status
from allotment.dialects.auth0.allocations import Dealt, read_items
from allotment.dialects.auth0.errors import missing
from allotment.dialects.auth0.ids import find_experiment, find_flag, get_experiment
from allotment.dialects.auth0.labels import FIELDS, check_name_free, update_labels
from allotment.dialects.auth0.lifecycle import check_editable, move, note_edit
from allotment.dialects.auth0.schema.experiments import (
    SUBJECT,
    Auth0ExperimentCreate,
    Auth0ExperimentStatus,
    Auth0ExperimentUpdate,
    Auth0Item,
    Auth0RampTarget,
)
from allotment.dialects.auth0.views import (
    CONTROLS,
    FLOW,
    LEVELS,
    RANK,
    STRATEGY,
    shown_levels,
    shown_strategy,
)
from allotment.dialects.wire.listed import enlist, flag_of, remove
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagState
from allotment.model.limits import BUCKETS

_PERCENT: Final = BUCKETS // 100
_SALT_BYTES: Final = 12


def create_experiment(call: Call[Auth0ExperimentCreate], catalog: Catalog) -> list[Command]:
    """Create a draft, and list it last with its flag."""
    body = call.body
    flag = find_flag(catalog, body.feature_flag_id) or missing("flag")
    if flag.state is FlagState.ARCHIVED:
        message = "An archived feature flag takes no new experiments"
        raise Refusal(400, "feature_flag_archived", message, "$.feature_flag_id")
    strategy = body.allocation_strategy or "percentage"
    items = body.allocations
    dealt = Dealt() if items is None else read_items(items, strategy, flag, catalog, None)
    check_name_free("experiment", body.name, catalog.experiments)
    key = slug(body.name, catalog.experiments.__contains__, "experiment")
    iteration = Iteration(
        1,
        dealt.treatments,
        dealt.allocations,
        salt=call.fresh(_SALT_BYTES),
        control=dealt.control,
        enrolment_ppm=_first_share(body.levels),
    )
    fields = {
        FLOW: body.authentication_flow,
        LEVELS: _tree(body.levels),
        **_fields(dealt, strategy),
    }
    description = body.description or ""
    kept = FIELDS.on_new(fields)
    experiment = Experiment(key, (iteration,), body.name, description, unit=SUBJECT, kept=kept)
    return [Create(experiment), enlist(key, flag.key, catalog)]


def update_experiment(call: Call[Auth0ExperimentUpdate], catalog: Catalog) -> list[Command]:
    """Edit an experiment, then move it to its new status."""
    body = call.body
    experiment = get_experiment(catalog, call.ids["id"])
    commands = [*update_labels("experiment", experiment, body, catalog.experiments)]
    if body.assignment_config is not None:
        message = f"one of {experiment.unit} belongs here"
        raise InvalidInput(message, "$.assignment_config.subject")
    if body.authentication_flow is not None:
        check_editable("authentication_flow", experiment)
        commands.append(_keep(experiment, FLOW, body.authentication_flow))
    if "levels" in body.model_fields_set and (body.levels or []) != shown_levels(experiment):
        check_editable("levels", experiment)
        commands.append(SetEnrolment(experiment.key, _first_share(body.levels)))
        commands.append(_keep(experiment, LEVELS, _tree(body.levels)))
    if body.allocations is not None:
        commands.extend(_replace_items(body.allocations, experiment, catalog))
    if body.status is not None:
        commands.extend(move(body.status, experiment, catalog, commands, call.now))
    return commands


def move_experiment(call: Call[Auth0ExperimentStatus], catalog: Catalog) -> list[Command]:
    """Move an experiment to another status."""
    experiment = get_experiment(catalog, call.ids["id"])
    return move(call.body.status, experiment, catalog, (), call.now)


def delete_experiment(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take the experiment from its flag and delete it, if it is there."""
    experiment = find_experiment(catalog, call.ids["id"])
    if experiment is None:
        return []
    if not allows(Policy.AUTH0, Event.DELETE, status(experiment)):
        message = "Active experiments cannot be deleted; pause or complete it first"
        raise Refusal(400, "experiment_is_active", message)
    return remove(experiment.key, catalog)


def advance_ramp(call: Call[Auth0RampTarget], catalog: Catalog) -> list[Command]:
    """Raise the enrolment share to the next level; nothing where it is there already."""
    experiment = get_experiment(catalog, call.ids["id"])
    target = call.body.target_level * _PERCENT
    levels, share = shown_levels(experiment), experiment.current.enrolment_ppm
    if not levels or status(experiment) is not Status.RUNNING:
        word = called(Policy.AUTH0, status(experiment))
        why = f"it is {word}" if levels else "it has no levels"
        raise Refusal(409, "experiment_ramp_not_active", f"No ramp is active: {why}")
    if target == share:
        return []
    if target != next((each * _PERCENT for each in levels if each * _PERCENT > share), None):
        message = "The target must be the immediate next level"
        raise Refusal(400, "experiment_ramp_level_not_next", message, "$.target_level")
    return [SetEnrolment(experiment.key, target)]


def _replace_items(
    items: list[Auth0Item], experiment: Experiment, catalog: Catalog
) -> Iterator[Command]:
    check_editable("allocations", experiment)
    flag = catalog.flags.get(flag_of(experiment, catalog) or "") or missing("flag")
    strategy = shown_strategy(experiment)
    dealt = read_items(items, strategy, flag, catalog, experiment.current)
    left = {treatment.key for treatment in dealt.treatments}
    if any(treatment not in left for _, treatment in experiment.overrides):
        message = "A device is fixed to a variation that would go; remove its override first"
        raise Refusal(409, "variation_in_use", message, "$.allocations")
    yield SetTreatments(experiment.key, dealt.treatments, dealt.control)
    yield SetAllocations(experiment.key, dealt.allocations)
    yield from note_edit(experiment)
    for path, value in _fields(dealt, strategy).items():
        if value != FIELDS.kept(experiment, path):
            yield _keep(experiment, path, value)


def _fields(dealt: Dealt, strategy: str) -> dict[str, Tree]:
    """What the model cannot say of the items."""
    return {
        STRATEGY: None if dealt.allocations else strategy,
        CONTROLS: [*dealt.controls] if len(dealt.controls) > 1 else None,
        RANK: dealt.rank,
    }


def _keep(experiment: Experiment, path: str, value: Tree) -> Command:
    return FIELDS.keep("experiment", experiment.key, path, value)


def _first_share(levels: list[int] | None) -> int:
    """The enrolment share that a ramp starts with, in parts per million."""
    return levels[0] * _PERCENT if levels else BUCKETS


def _tree(levels: list[int] | None) -> Tree:
    return [*levels] if levels else None
