"""Feature flags, whose default variation holds the parameters: changed, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from allotment.change.commands import Command, Create, Delete, SetVariations, SwitchFlag
from allotment.change.lifecycle import Policy, may_switch
from allotment.dialects.auth0.errors import in_use
from allotment.dialects.auth0.fields import (
    Auth0Labels,
    Auth0LabelsUpdate,
    Auth0Query,
    FlagId,
    Moment,
    Next,
    ShownName,
    Type,
)
from allotment.dialects.auth0.names import (
    DEFAULTS,
    FIELDS,
    check_name_free,
    find,
    noun_at,
    show_named,
    update_labels,
    visible,
)
from allotment.dialects.auth0.variations import (
    DESCRIPTIONS,
    ParameterType,
    Value,
    Values,
    check_value,
    defaults_of,
    is_lone,
    overrides_of,
    type_of,
    value_text,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model, Refusal
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.dialects.wire.source import alike
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidChange, InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState, Variation

_PARAMETERS_MAX: Final = 10
FlagStatus = Literal["draft", "active", "archived"]


class Auth0ShownParameter(Model):
    """A parameter of a feature flag, made by any API."""

    type: ParameterType
    value: Value
    description: Maybe[str] = LEFT_OUT


class Auth0Parameter(Body):
    """A parameter of a feature flag, with its default."""

    type: ParameterType
    value: Value
    description: Maybe[Annotated[str, Field(max_length=255)]] = LEFT_OUT

    @model_validator(mode="after")
    def _check_value(self) -> Auth0Parameter:
        check_value(self.value, self.type)
        return self


Parameters = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=255)], Auth0Parameter],
    Field(min_length=1, max_length=_PARAMETERS_MAX),
]


class Auth0FlagCreate(Auth0Labels):
    """The body that creates a feature flag."""

    parameters: Parameters


class Auth0FlagUpdate(Auth0LabelsUpdate):
    """The body that updates a feature flag. Parameters as shown are taken back, `{}` too."""

    parameters: Maybe[Parameters] = LEFT_OUT
    status: Maybe[FlagStatus] = LEFT_OUT


class Auth0FlagStatus(Body):
    """The body that moves a feature flag."""

    status: FlagStatus


class Auth0Flag(Model):
    """A feature flag. Its parameters are `{}` where this API cannot say its values."""

    id: FlagId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    type: Type
    status: FlagStatus
    parameters: dict[str, Auth0ShownParameter]
    created_at: Moment
    updated_at: Moment


class Auth0FlagQuery(Auth0Query):
    """The query of the list of feature flags."""

    type: Maybe[Type] = LEFT_OUT
    status: Maybe[FlagStatus] = LEFT_OUT


class Auth0Flags(Model):
    """A page of feature flags."""

    feature_flags: list[Auth0Flag]
    next: Next = LEFT_OUT


FLAG_STATUSES: Final[dict[FlagStatus, FlagState]] = {
    "draft": FlagState.OFF,
    "active": FlagState.ON,
    "archived": FlagState.ARCHIVED,
}
_FLAG_STATUS: Final = {state: word for word, state in FLAG_STATUSES.items()}


def shown_flag_status(flag: Flag) -> FlagStatus:
    """This API's word for the state of a flag."""
    return _FLAG_STATUS[flag.state]


def create_flag(call: Call[Auth0FlagCreate], catalog: Catalog) -> list[Command]:
    """Create a flag. It is off, which this API calls a draft."""
    body = call.body
    check_name_free("flag", body.name, catalog.flags)
    values, descriptions = _split(body.parameters)
    flag = Flag(
        slug(body.name, catalog.flags.__contains__, "flag"),
        (Variation(DEFAULTS, value_text(values, {}, lone=False)),),
        DEFAULTS,
        body.name,
        body.description or "",
        FLAG_STATUSES["draft"],
        kept=FIELDS.on_new({DESCRIPTIONS: descriptions or None}),
    )
    return [Create(flag)]


def update_flag(call: Call[Auth0FlagUpdate], catalog: Catalog) -> list[Command]:
    """Edit a flag, then move it to its new status."""
    flag = noun_at("flag", catalog.flags, call.ids, catalog)
    commands = [*update_labels("flag", flag, call.body, catalog.flags)]
    if call.body.parameters is not None:
        commands.extend(_replace_parameters(call.body.parameters, flag))
    if call.body.status is not None:
        commands.extend(_move(call.body.status, flag))
    return commands


def move_flag(call: Call[Auth0FlagStatus], catalog: Catalog) -> list[Command]:
    """Move a flag to another status."""
    return [*_move(call.body.status, noun_at("flag", catalog.flags, call.ids, catalog))]


def delete_flag(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a flag with its variations, if it is there."""
    flag = find("flag", catalog.flags, call.ids["id"], catalog)
    if flag is None:
        return []
    if any(not catalog.experiments[item.experiment].archived for item in flag.experiments):
        raise in_use("flag", "an experiment that is not archived refers to it")
    return [Delete("flag", flag.key)]


def _move(target: FlagStatus, flag: Flag) -> Iterator[Command]:
    state, path = FLAG_STATUSES[target], "$.status"
    if state is flag.state:
        return
    try:
        # The lifecycle counts only those variations that this API lists.
        may_switch(Policy.AUTH0, flag.state, state, len(visible(flag)), path)
    except InvalidChange as error:
        if error.code == "few_variations":
            message = "Feature flag must have at least 2 variations to be activated"
            code = "feature_flag_requires_two_variations"
        else:
            here = shown_flag_status(flag)
            message = f"Status transition is not allowed: {here} to {target}"
            code = "feature_flag_status_transition_not_allowed"
        raise Refusal(400, code, message, path) from None
    yield SwitchFlag(flag.key, state)


def _split(parameters: dict[str, Auth0Parameter]) -> tuple[Values, Values]:
    """The values and the descriptions of parameters, by name."""
    values: Values = {name: one.value for name, one in parameters.items()}
    descriptions: Values = {
        name: one.description for name, one in parameters.items() if one.description is not None
    }
    return values, descriptions


def _replace_parameters(parameters: dict[str, Auth0Parameter], flag: Flag) -> Iterator[Command]:
    """Other defaults; every variation's value is made again from what it overrides."""
    values, descriptions = _split(parameters)
    lone = is_lone(flag)
    if lone and set(values) != {"value"}:
        message = "this flag's values are no objects; its one parameter is `value`"
        raise InvalidInput(message, "$.parameters")
    variations = []
    for variation in flag.variations:
        overrides = {} if variation.key == flag.default else overrides_of(flag, variation)
        _check_still_overrides(overrides, values)
        variations.append(replace(variation, value=value_text(values, overrides, lone)))
    if tuple(variations) != flag.variations:
        yield SetVariations(flag.key, tuple(variations), flag.default)
    if (FIELDS.kept(flag, DESCRIPTIONS) or {}) != descriptions:
        yield FIELDS.keep("flag", flag.key, DESCRIPTIONS, descriptions or None)


def _check_still_overrides(overrides: Values, defaults: Values) -> None:
    """Raise where a variation's override would no longer be one."""
    for name, value in overrides.items():
        if name not in defaults:
            why = "is gone, and a variation overrides it"
        elif type_of(value) != type_of(defaults[name]):
            why = "has another type than a variation overrides it with"
        elif alike(value, defaults[name]):
            why = "has the default that a variation overrides it with"
        else:
            continue
        message = f"a parameter {why}; change that variation first"
        raise Refusal(400, "parameter_overridden", message, "$.parameters")


def get_flag(state: ReadState, noun: Noun) -> Auth0Flag:
    """A feature flag."""
    flag = state.catalog.flags[noun.key]
    descriptions = FIELDS.kept(flag, DESCRIPTIONS)
    known: dict[str, Any] = descriptions if isinstance(descriptions, dict) else {}
    return Auth0Flag(
        **show_named("flag", flag, state.versions[noun.name]),
        type="self",
        status=shown_flag_status(flag),
        parameters={
            name: Auth0ShownParameter(type=type_of(value), value=value, description=known.get(name))
            for name, value in defaults_of(flag).items()
        },
    )


def list_flags(query: Auth0FlagQuery, state: ReadState) -> Auth0Flags:
    """A page of feature flags."""

    def is_wanted(flag: Flag) -> bool:
        return query.type != "auth0" and query.status in (None, shown_flag_status(flag))

    found = query.page("feature_flags", state.catalog.flags, is_wanted)
    shown = [get_flag(state, Noun("flag", one.key)) for one in found.items]
    return Auth0Flags(feature_flags=shown, next=found.token)
