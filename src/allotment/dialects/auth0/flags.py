"""Feature flags: a flag whose default variation holds the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    SetVariations,
    SwitchFlag,
)
from allotment.change.lifecycle import Policy, may_switch
from allotment.dialects.auth0.codes import in_use
from allotment.dialects.auth0.ids import DEFAULTS, find_flag, get_flag, id_of, visible
from allotment.dialects.auth0.kept import Values, keep, keeping, kept
from allotment.dialects.auth0.labels import (
    check_name_free,
    read_description,
    read_labels,
    read_name,
    show_description,
    shown_name,
)
from allotment.dialects.auth0.parameters import (
    DESCRIPTIONS,
    is_lone,
    overrides_of,
    read_parameters,
    show_parameters,
    type_of,
    value_text,
)
from allotment.dialects.auth0.updates import read_update
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version, show_times
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState, Variation

STATUSES: Final = {
    "draft": FlagState.OFF,
    "active": FlagState.ON,
    "archived": FlagState.ARCHIVED,
}
_SHOWN: Final = {state: word for word, state in STATUSES.items()}

_CREATE: Final = ("name", "description", "parameters")
_UPDATE: Final = (*_CREATE, "status")


def read_create_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the flag; it is off, which this API calls a draft."""
    body = asked.body.fields(_CREATE, ("name", "parameters"))
    name = read_name(body.at("name"))
    description = read_description(body.at("description"))
    values, descriptions = read_parameters(body.at("parameters"))
    check_name_free("flag", name, catalog.flags)
    flag = Flag(
        slug(name, catalog.flags.__contains__, "flag"),
        (Variation(DEFAULTS, value_text(values, {}, lone=False)),),
        DEFAULTS,
        name,
        description,
        FlagState.OFF,
        kept=keeping({DESCRIPTIONS: descriptions or None}),
    )
    return [Create(flag)]


def read_update_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH: first the edits, then the status."""
    flag = get_flag(catalog, asked.ids["id"])
    body = read_update(asked.body, _UPDATE)
    commands: list[Command] = [*read_labels("flag", flag, body, catalog.flags)]
    if body.at("parameters").given:
        commands.extend(_read_parameters(body.at("parameters"), flag))
    if body.at("status").given:
        commands.extend(_read_status(body.at("status"), flag))
    return commands


def read_flag_status(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command of a status change that is a call of its own."""
    flag = get_flag(catalog, asked.ids["id"])
    body = asked.body.fields(("status",), ("status",))
    return [*_read_status(body.at("status"), flag)]


def read_delete_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that deletes the flag, if it is there; its variations go with it."""
    flag = find_flag(catalog, asked.ids["id"])
    if flag is None:
        return []
    for item in flag.experiments:
        if not catalog.experiments[item.experiment].archived:
            raise in_use("flag", "an experiment that is not archived refers to it")
    return [Delete("flag", flag.key)]


def show_flag(flag: Flag, version: Version) -> dict[str, Tree]:
    """The flag as this API spells it."""
    return {
        "id": id_of("flag", flag.key),
        "name": shown_name(flag),
        **show_description(flag),
        "type": "self",
        "status": shown_status(flag),
        "parameters": show_parameters(flag),
        **show_times(version),
    }


def shown_status(flag: Flag) -> str:
    """What this API calls the flag's state."""
    return _SHOWN[flag.state]


def _read_status(place: Place, flag: Flag) -> Iterator[Command]:
    state = STATUSES[place.word(STATUSES)]
    if state is flag.state:
        return
    try:
        # The lifecycle is asked here already, about those variations that this API lists.
        may_switch(Policy.AUTH0, flag.state, state, len(visible(flag)), place.path)
    except InvalidChange as error:
        raise _refusal(error, place, flag) from None
    yield SwitchFlag(flag.key, state)


def _refusal(error: InvalidChange, place: Place, flag: Flag) -> Refusal:
    """What the lifecycle says of a flag, in this API's words."""
    if error.code == "few_variations":
        message = "Feature flag must have at least 2 variations to be activated"
        return Refusal(400, "feature_flag_requires_two_variations", message, place.path)
    message = f"Status transition is not allowed: {shown_status(flag)} to {place.value}"
    return Refusal(400, "feature_flag_status_transition_not_allowed", message, place.path)


def _read_parameters(place: Place, flag: Flag) -> Iterator[Command]:
    """Other defaults, with every variation's value made anew from what it overrides."""
    if alike(place.tree(), show_parameters(flag)):
        return
    values, descriptions = read_parameters(place)
    lone = is_lone(flag)
    if lone and set(values) != {"value"}:
        raise place.refusal("this flag's values are no objects; its one parameter is `value`")
    variations = []
    for variation in flag.variations:
        overrides = {} if variation.key == flag.default else overrides_of(flag, variation)
        _check_overrides(overrides, values, place)
        variations.append(replace(variation, value=value_text(values, overrides, lone)))
    if tuple(variations) != flag.variations:
        yield SetVariations(flag.key, tuple(variations), flag.default)
    if (kept(flag, DESCRIPTIONS) or {}) != descriptions:
        yield keep("flag", flag.key, DESCRIPTIONS, descriptions or None)


def _check_overrides(overrides: Values, defaults: Values, place: Place) -> None:
    """Raise where a variation's overrides would no longer be ones, rather than drop them."""
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
        raise Refusal(400, "parameter_overridden", message, place.path)
