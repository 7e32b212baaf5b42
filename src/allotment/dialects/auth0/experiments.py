"""Experiments: one iteration of ours each, which draws by device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import (
    Command,
    Create,
    SetAllocations,
    SetEnrolment,
    SetTreatments,
)
from allotment.change.lifecycle import Event, Policy, allows, status
from allotment.dialects.auth0.allocations import (
    PERCENTAGE,
    STRATEGIES,
    Dealt,
    read_allocations,
)
from allotment.dialects.auth0.codes import missing
from allotment.dialects.auth0.ids import ID_MAX, find_experiment, find_flag, get_experiment
from allotment.dialects.auth0.items import (
    CONTROLS,
    RANK,
    STRATEGY,
    said,
    show_items,
    shown_strategy,
)
from allotment.dialects.auth0.kept import Values, keep, keeping, kept
from allotment.dialects.auth0.labels import (
    check_name_free,
    read_description,
    read_labels,
    read_name,
)
from allotment.dialects.auth0.ramp import LEVELS, read_levels, share_of, shown_levels
from allotment.dialects.auth0.segments import SUBJECT
from allotment.dialects.auth0.shown import FLOW, flag_of, shown_flow
from allotment.dialects.auth0.transitions import check_editable, note_edit, read_status
from allotment.dialects.auth0.updates import read_update
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.listed import enlist, remove
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import Flag, FlagState

_REQUIRED: Final = ("name", "feature_flag_id", "authentication_flow")
_EDITED: Final = (
    "name",
    "description",
    "authentication_flow",
    "assignment_config",
    "allocations",
    "default_config",
    "levels",
)
_CREATE: Final = (*_EDITED, "feature_flag_id", "allocation_strategy")
_UPDATE: Final = (*_EDITED, "status")

_FLOW_MAX: Final = 255
_SALT_BYTES: Final = 12


def read_create_experiment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that create a draft and list it with its flag, after those that are there."""
    body = asked.body.fields(_CREATE, _REQUIRED)
    name = read_name(body.at("name"))
    description = read_description(body.at("description"))
    flow = body.at("authentication_flow").text(1, _FLOW_MAX)
    _read_subject(body.at("assignment_config"), SUBJECT)
    _refuse_default_config(body.at("default_config"))
    levels = read_levels(body.at("levels")) if body.at("levels").given else []
    strategy = body.at("allocation_strategy")
    dealing = strategy.word(STRATEGIES) if strategy.given else PERCENTAGE
    flag = _flag(body.at("feature_flag_id"), catalog)
    items = body.at("allocations")
    dealt = read_allocations(items, dealing, flag, catalog, None) if items.given else Dealt()
    check_name_free("experiment", name, catalog.experiments)
    key = slug(name, catalog.experiments.__contains__, "experiment")
    iteration = Iteration(
        1,
        dealt.treatments,
        dealt.allocations,
        salt=asked.given.fresh(_SALT_BYTES),
        control=dealt.control,
        enrolment_ppm=share_of(levels),
    )
    notes: Values = {FLOW: flow, LEVELS: [*levels] or None, **_notes(dealt, dealing)}
    experiment = Experiment(key, (iteration,), name, description, unit=SUBJECT, kept=keeping(notes))
    return [Create(experiment), enlist(key, flag.key, catalog)]


def read_update_experiment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH: first the edits, then the status."""
    experiment = get_experiment(catalog, asked.ids["id"])
    body = read_update(asked.body, _UPDATE)
    commands = [*read_labels("experiment", experiment, body, catalog.experiments)]
    if body.at("assignment_config").given:
        _read_subject(body.at("assignment_config"), experiment.unit)
    _refuse_default_config(body.at("default_config"))
    if body.at("authentication_flow").given:
        commands.extend(_read_flow(body.at("authentication_flow"), experiment))
    if body.at("levels").given:
        commands.extend(_read_levels(body.at("levels"), experiment))
    if body.at("allocations").given:
        commands.extend(_read_items(body.at("allocations"), experiment, catalog))
    if body.at("status").given:
        place = body.at("status")
        commands.extend(read_status(place, experiment.key, catalog, commands, asked.given))
    return commands


def read_experiment_status(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command of a status change that is a call of its own."""
    experiment = get_experiment(catalog, asked.ids["id"])
    body = asked.body.fields(("status",), ("status",))
    return read_status(body.at("status"), experiment.key, catalog, (), asked.given)


def read_delete_experiment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that take the experiment from its flag and delete it, if it is there."""
    experiment = find_experiment(catalog, asked.ids["id"])
    if experiment is None:
        return []
    if not allows(Policy.AUTH0, Event.DELETE, status(experiment)):
        message = "Active experiments cannot be deleted; pause or complete it first"
        raise Refusal(400, "experiment_is_active", message)
    return remove(experiment.key, catalog)


def _flag(place: Place, catalog: Catalog) -> Flag:
    flag = find_flag(catalog, place.text(1, ID_MAX)) or missing("flag")
    if flag.state is FlagState.ARCHIVED:
        message = "An archived feature flag takes no new experiments"
        raise Refusal(400, "feature_flag_archived", message, place.path)
    return flag


def _read_subject(place: Place, unit: str) -> None:
    """Check that the request names the kind of unit there is, if any."""
    if place.given:
        place.fields(("subject",), ("subject",)).at("subject").word((unit,))


def _refuse_default_config(place: Place) -> None:
    if place.given:
        message = "default_config is for feature flags that Auth0 manages; leave it out"
        raise Refusal(400, "default_config_not_supported", message, place.path)


def _read_flow(place: Place, experiment: Experiment) -> Iterator[Command]:
    flow = place.text(1, _FLOW_MAX)
    if flow != shown_flow(experiment):
        check_editable(place, "authentication_flow", experiment)
        yield keep("experiment", experiment.key, FLOW, flow)


def _read_levels(place: Place, experiment: Experiment) -> Iterator[Command]:
    levels = read_levels(place)
    if levels != shown_levels(experiment):
        check_editable(place, "levels", experiment)
        yield SetEnrolment(experiment.key, share_of(levels))
        yield keep("experiment", experiment.key, LEVELS, [*levels] or None)


def _read_items(place: Place, experiment: Experiment, catalog: Catalog) -> Iterator[Command]:
    """The whole set anew; what is sent as it is shown is no change."""
    if alike(said(place.tree()), said(show_items(experiment, catalog))):
        return
    check_editable(place, "allocations", experiment)
    flag = catalog.flags.get(flag_of(experiment, catalog) or "") or missing("flag")
    strategy = shown_strategy(experiment)
    dealt = read_allocations(place, strategy, flag, catalog, experiment.current)
    _check_overrides(place, experiment, dealt)
    yield SetTreatments(experiment.key, dealt.treatments, dealt.control)
    yield SetAllocations(experiment.key, dealt.allocations)
    yield from note_edit(experiment)
    for path, value in _notes(dealt, strategy).items():
        if value != kept(experiment, path):
            yield keep("experiment", experiment.key, path, value)


def _notes(dealt: Dealt, strategy: str) -> Values:
    """What is kept of the items: what the model cannot say."""
    return {
        STRATEGY: None if dealt.allocations else strategy,
        CONTROLS: [*dealt.controls] if len(dealt.controls) > 1 else None,
        RANK: dealt.rank,
    }


def _check_overrides(place: Place, experiment: Experiment, dealt: Dealt) -> None:
    left = {treatment.key for treatment in dealt.treatments}
    if any(treatment not in left for _, treatment in experiment.overrides):
        message = "A device is fixed to a variation that would go; remove its override first"
        raise Refusal(409, "variation_in_use", message, place.path)
