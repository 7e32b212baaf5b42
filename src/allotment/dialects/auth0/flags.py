"""Changes of feature flags, whose default variation holds the parameters, and of variations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from allotment.change.commands import Command, Create, Delete, SetVariations, SwitchFlag
from allotment.change.lifecycle import Policy, may_switch
from allotment.change.references import answering
from allotment.dialects.auth0.errors import in_use, name_taken
from allotment.dialects.auth0.ids import (
    DEFAULTS,
    find_flag,
    find_variation,
    get_flag,
    get_variation,
    visible,
)
from allotment.dialects.auth0.labels import (
    FIELDS,
    check_name_free,
    shown_name,
    update_labels,
    updated_description,
)
from allotment.dialects.auth0.lifecycle import FLAG_STATUSES, shown_flag_status
from allotment.dialects.auth0.parameters import (
    DESCRIPTIONS,
    Values,
    defaults_of,
    is_lone,
    overrides_of,
    value_text,
)
from allotment.dialects.auth0.schema.flags import (
    Auth0FlagCreate,
    Auth0FlagStatus,
    Auth0FlagUpdate,
    Auth0Override,
    Auth0Parameter,
    Auth0VariationCreate,
    Auth0VariationUpdate,
    FlagStatus,
    check_value,
    type_of,
)
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import alike, step
from allotment.errors import InvalidChange, InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, Variation

# The vendor has a limit and does not say which.
VARIATIONS_MAX: Final = 100


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
    flag = get_flag(catalog, call.ids["id"])
    commands = [*update_labels("flag", flag, call.body, catalog.flags)]
    if call.body.parameters is not None:
        commands.extend(_replace_parameters(call.body.parameters, flag))
    if call.body.status is not None:
        commands.extend(_move(call.body.status, flag))
    return commands


def move_flag(call: Call[Auth0FlagStatus], catalog: Catalog) -> list[Command]:
    """Move a flag to another status."""
    return [*_move(call.body.status, get_flag(catalog, call.ids["id"]))]


def delete_flag(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a flag with its variations, if it is there."""
    flag = find_flag(catalog, call.ids["id"])
    if flag is None:
        return []
    if any(not catalog.experiments[item.experiment].archived for item in flag.experiments):
        raise in_use("flag", "an experiment that is not archived refers to it")
    return [Delete("flag", flag.key)]


def create_variation(call: Call[Auth0VariationCreate], catalog: Catalog) -> list[Command]:
    """Add a variation to a flag."""
    body = call.body
    flag = get_flag(catalog, call.ids["id"])
    overrides = _read_overrides(body.overrides, flag)
    _check_variation_name_free(body.name, flag)
    if len(visible(flag)) >= VARIATIONS_MAX:
        message = f"A flag has at most {VARIATIONS_MAX} variations"
        raise Refusal(400, "variation_limit_exceeded", message)
    # No variation gets the key of the defaults, as it would not be listed.
    keys = {DEFAULTS, *(one.key for one in flag.variations)}
    key = slug(body.name, keys.__contains__, "variation")
    value = value_text(defaults_of(flag), overrides, is_lone(flag))
    added = Variation(key, value, body.name, body.description or "")
    return [
        SetVariations(flag.key, (*flag.variations, added), flag.default),
        FIELDS.keep("flag", flag.key, f"variation/{key}/created_at", call.now),
        FIELDS.keep("flag", flag.key, f"variation/{key}/updated_at", call.now),
    ]


def update_variation(call: Call[Auth0VariationUpdate], catalog: Catalog) -> list[Command]:
    """Edit a variation; overrides replace all overrides there are."""
    body = call.body
    flag = get_flag(catalog, call.ids["id"])
    old = get_variation(flag, call.ids["variation_id"])
    new = replace(old, description=updated_description(body, old))
    if body.name is not None:
        _check_variation_name_free(body.name, flag)
        new = replace(new, name=body.name)
    if body.overrides is not None:
        overrides = _read_overrides(body.overrides, flag)
        if old.key == flag.default and overrides:
            message = "this variation is the flag's default; change the flag's parameters"
            raise InvalidInput(message, "$.overrides")
        new = replace(new, value=value_text(defaults_of(flag), overrides, is_lone(flag)))
    if new == old:
        return []
    variations = tuple(new if one is old else one for one in flag.variations)
    return [
        SetVariations(flag.key, variations, flag.default),
        FIELDS.keep("flag", flag.key, f"variation/{old.key}/updated_at", call.now),
    ]


def delete_variation(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take a variation from its flag, if it is there."""
    flag = get_flag(catalog, call.ids["id"])
    gone = find_variation(flag, call.ids["variation_id"])
    if gone is None:
        return []
    if gone.key == flag.default:
        raise in_use("variation", "it is the default of its flag")
    for key in sorted(catalog.users.get(f"flag:{flag.key}", frozenset())):
        for iteration in answering(catalog.experiments[key]):
            if any((flag.key, gone.key) in one.sets for one in iteration.treatments):
                raise in_use("variation", "an experiment that is not archived allocates it")
    left = tuple(one for one in flag.variations if one is not gone)
    return [
        SetVariations(flag.key, left, flag.default),
        FIELDS.keep("flag", flag.key, f"variation/{gone.key}/created_at", None),
        FIELDS.keep("flag", flag.key, f"variation/{gone.key}/updated_at", None),
    ]


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


def _read_overrides(sent: dict[str, Auth0Override], flag: Flag) -> Values:
    """Values by parameter, each of its parameter's type and other than its default."""
    defaults = defaults_of(flag)
    overrides: Values = {}
    for name, one in sent.items():
        path = step("$.overrides", name)
        if name not in defaults:
            raise InvalidInput("the flag has no such parameter", path)
        try:
            check_value(one.value, type_of(defaults[name]))
        except ValueError as error:
            raise InvalidInput(str(error), f"{path}.value") from None
        if alike(one.value, defaults[name]):
            raise InvalidInput("this is the flag's default already; leave it out", path)
        overrides[name] = one.value
    return overrides


def _check_variation_name_free(name: str, flag: Flag) -> None:
    if any(shown_name(one) == name for one in visible(flag)):
        raise name_taken("variation")
