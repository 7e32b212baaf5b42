"""Experiments: one iteration each, which draws by device. Changed, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from allotment.change.commands import Command, Create, SetAllocations, SetTreatments
from allotment.change.lifecycle import Event, Policy, allows, status
from allotment.dialects.auth0.allocations import (
    Auth0Item,
    Auth0ShownItem,
    Dealt,
    Snapshot,
    Strategy,
    read_items,
    show_items,
    shown_strategy,
)
from allotment.dialects.auth0.errors import missing
from allotment.dialects.auth0.fields import (
    SUBJECT,
    Auth0Labels,
    Auth0LabelsUpdate,
    Auth0Query,
    ExperimentId,
    FlagId,
    Moment,
    Next,
    ShownName,
)
from allotment.dialects.auth0.lifecycle import (
    LEVELS,
    ExperimentStatus,
    Levels,
    Percent,
    check_editable,
    current_level,
    first_share,
    move,
    note_edit,
    obstacles_of,
    set_levels,
    shown_editable_fields,
    shown_levels,
    shown_status,
)
from allotment.dialects.auth0.names import (
    FIELDS,
    check_name_free,
    find,
    flag_id_of,
    noun_at,
    show_named,
    shown_name,
    update_labels,
)
from allotment.dialects.wire.listed import enlist, flag_of, remove
from allotment.dialects.wire.model import (
    LEFT_OUT,
    NOT_BLANK,
    Body,
    Maybe,
    Model,
    Refusal,
    never,
    refused,
)
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagState
from allotment.model.instant import show_instant

ITEMS_MAX: Final = 20


def _few(items: Any) -> Any:
    if isinstance(items, list) and len(items) > ITEMS_MAX:
        message = f"Experiments may have at most {ITEMS_MAX} allocations"
        raise refused("experiment_too_many_allocations", message)
    return items


Flow = Annotated[str, Field(min_length=1, max_length=255), NOT_BLANK]


class Auth0Subject(Body):
    """The kind of unit an experiment allocates."""

    subject: str


class Auth0Device(Body):
    """The kind of unit that this API's experiments allocate."""

    subject: Literal["device"]


def said_items(items: Tree) -> Tree:
    """What a request says where it sends items as they are shown, or leaves out what is usual."""
    if not isinstance(items, list):
        return items
    known = Auth0Item.model_fields
    usual = ("is_fallback", False)
    return [
        {name: value for name, value in item.items() if name in known and (name, value) != usual}
        if isinstance(item, dict)
        else item
        for item in items
    ]


def _or_as_shown(schema: dict[str, Any]) -> None:
    """Let the document say that an update takes back the items as they are shown."""
    sent, shown = dict(schema), {"$ref": "#/components/schemas/Auth0ShownItem"}
    said_items = "As they are shown, which is no change."
    schema.clear()
    schema["anyOf"] = [sent, {"type": "array", "items": shown, "description": said_items}]


Items = Annotated[list[Auth0Item], Field(min_length=1), BeforeValidator(_few)]
_NO_DEFAULT: Final = "default_config is for feature flags that Auth0 manages; leave it out"
DefaultConfig = SkipJsonSchema[Annotated[Any, never(_NO_DEFAULT, "default_config_not_supported")]]


class Auth0ExperimentCreate(Auth0Labels):
    """The body that creates an experiment."""

    feature_flag_id: FlagId
    authentication_flow: Flow
    assignment_config: Maybe[Auth0Device] = LEFT_OUT
    allocation_strategy: Maybe[Strategy] = LEFT_OUT
    allocations: Maybe[Items] = LEFT_OUT
    default_config: DefaultConfig = None
    levels: Levels | None = LEFT_OUT


class Auth0ExperimentUpdate(Auth0LabelsUpdate):
    """The body that updates an experiment."""

    authentication_flow: Maybe[Flow] = LEFT_OUT
    assignment_config: Maybe[Auth0Subject] = LEFT_OUT
    allocations: Maybe[Annotated[Items, Field(json_schema_extra=_or_as_shown)]] = LEFT_OUT
    default_config: DefaultConfig = None
    levels: Levels | None = LEFT_OUT
    status: Maybe[ExperimentStatus] = LEFT_OUT

    compared: ClassVar = {"allocations": said_items}


class Auth0Experiment(Model):
    """An experiment, with what any generation of the API shows."""

    id: ExperimentId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    feature_flag_id: FlagId
    feature_flag_name: Maybe[ShownName] = LEFT_OUT
    authentication_flow: Flow
    allocation_strategy: Strategy
    assignment_config: Auth0Subject
    status: ExperimentStatus
    is_valid: bool
    allocations: list[Auth0ShownItem]
    editable_fields: list[str]
    feature_flag_snapshot: Snapshot
    current_level: Percent | None
    created_at: Moment
    updated_at: Moment
    levels: Maybe[Levels] = LEFT_OUT
    started_at: Maybe[Moment] = LEFT_OUT
    ended_at: Maybe[Moment] = LEFT_OUT


class Auth0ExperimentQuery(Auth0Query):
    """The query of the list of experiments."""

    status: Maybe[ExperimentStatus] = LEFT_OUT
    authentication_flow: Maybe[str] = LEFT_OUT
    feature_flag_id: Maybe[str] = LEFT_OUT


class Auth0Experiments(Model):
    """A page of experiments."""

    experiments: list[Auth0Experiment]
    next: Next = LEFT_OUT


_SALT_BYTES: Final = 12


def create_experiment(call: Call[Auth0ExperimentCreate], catalog: Catalog) -> list[Command]:
    """Create a draft, and list it last with its flag."""
    body = call.body
    flag = find("flag", catalog.flags, body.feature_flag_id, catalog) or missing("flag")
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
        enrolment_ppm=first_share(body.levels),
    )
    fields: dict[str, Any] = {
        FLOW: body.authentication_flow,
        LEVELS: body.levels,
        **dealt.kept(strategy),
    }
    experiment = Experiment(
        key,
        (iteration,),
        body.name,
        body.description or "",
        unit=SUBJECT,
        kept=FIELDS.on_new(fields),
    )
    return [Create(experiment), enlist(key, flag.key, catalog)]


def update_experiment(call: Call[Auth0ExperimentUpdate], catalog: Catalog) -> list[Command]:
    """Edit an experiment, then move it to its new status."""
    body = call.body
    experiment = noun_at("experiment", catalog.experiments, call.ids, catalog)
    commands = [*update_labels("experiment", experiment, body, catalog.experiments)]
    if body.assignment_config is not None:
        message = f"one of {experiment.unit} belongs here"
        raise InvalidInput(message, "$.assignment_config.subject")
    if body.authentication_flow is not None:
        check_editable("authentication_flow", experiment)
        flow = body.authentication_flow
        commands.append(FIELDS.keep("experiment", experiment.key, FLOW, flow))
    if "levels" in body.model_fields_set:
        commands.extend(set_levels(body.levels, experiment))
    if body.allocations is not None:
        commands.extend(_replace_items(body.allocations, experiment, catalog))
    if body.status is not None:
        commands.extend(move(body.status, experiment, catalog, commands, call.now))
    return commands


def delete_experiment(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take the experiment from its flag and delete it, if it is there."""
    experiment = find("experiment", catalog.experiments, call.ids["id"], catalog)
    if experiment is None:
        return []
    if not allows(Policy.AUTH0, Event.DELETE, status(experiment)):
        message = "Active experiments cannot be deleted; pause or complete it first"
        raise Refusal(400, "experiment_is_active", message)
    return remove(experiment.key, catalog)


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
    for path, value in dealt.kept(strategy).items():
        if value != FIELDS.kept(experiment, path):
            yield FIELDS.keep("experiment", experiment.key, path, value)


# Fields of an experiment that the model lacks: its authentication flow, the levels of its ramp, the
# strategy while it has no allocations, the treatments that claim to be the control where that is
# not one, and the priority given to the fallback.
FLOW: Final = "authentication_flow"

# The flow of an experiment that was made elsewhere.
_EVERY_FLOW: Final = "all"


def get_experiment(state: ReadState, noun: Noun) -> Auth0Experiment:
    """An experiment."""
    catalog = state.catalog
    experiment = catalog.experiments[noun.key]
    current = experiment.current
    flag = catalog.flags.get(flag_of(experiment, catalog) or "")
    started, ended = current.started_at, current.ended_at
    return Auth0Experiment(
        **show_named("experiment", experiment, state.versions[noun.name]),
        feature_flag_id=flag_id_of(experiment, catalog),
        feature_flag_name=shown_name(flag) if flag else None,
        authentication_flow=shown_flow(experiment),
        allocation_strategy=shown_strategy(experiment),
        assignment_config=Auth0Subject(subject=experiment.unit),
        status=shown_status(experiment),
        is_valid=not obstacles_of(experiment, catalog),
        allocations=show_items(experiment, catalog),
        editable_fields=shown_editable_fields(experiment),
        feature_flag_snapshot=None,
        current_level=current_level(experiment),
        levels=shown_levels(experiment) or None,
        started_at=None if started is None else show_instant(started),
        ended_at=None if ended is None else show_instant(ended),
    )


# Parts of an experiment.


def shown_flow(experiment: Experiment) -> str:
    """The authentication flow: a word that nothing here acts on."""
    flow = FIELDS.kept(experiment, FLOW)
    return flow if isinstance(flow, str) else _EVERY_FLOW


def list_experiments(query: Auth0ExperimentQuery, state: ReadState) -> Auth0Experiments:
    """A page of experiments; those that are archived only where they are asked for."""

    def is_wanted(experiment: Experiment) -> bool:
        here = shown_status(experiment)
        flow, flag = query.authentication_flow, query.feature_flag_id
        return (
            (here == query.status if query.status else here != "archived")
            and (flow is None or shown_flow(experiment) == flow)
            and (flag is None or flag_id_of(experiment, state.catalog) == flag)
        )

    found = query.page("experiments", state.catalog.experiments, is_wanted)
    shown = [get_experiment(state, Noun("experiment", one.key)) for one in found.items]
    return Auth0Experiments(experiments=shown, next=found.token)
