"""Flags, in the file and back."""

from __future__ import annotations

import json
from typing import Final

from allotment.dialects.catalogfile.place import Place, Tree
from allotment.dialects.catalogfile.source import inspect
from allotment.errors import InvalidInput
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss, Variation

_FIELDS: Final = ("name", "description", "state", "default", "variations", "experiments")
_VARIATIONS: Final = "a mapping of variations to their values, such as {off: false, on: true},"
_VARIATION: Final = ("value", "json", "name", "description")

# A deeper value is shown as JSON text: a file is not nested as deep as it might be.
_VALUE_DEPTH_MAX: Final = 32


def read_flag(key: str, place: Place) -> Flag:
    """The flag at `place`."""
    place.fields(_FIELDS)
    variations = tuple(
        _read_variation(each, at)
        for each, at in place.at("variations").required(_VARIATIONS).entries()
    )
    return Flag(
        key=key,
        variations=variations,
        default=place.at("default").key(),
        name=place.at("name").name(),
        description=place.at("description").description(),
        state=place.at("state").choice(FlagState.ON),
        experiments=tuple(_read_experiment(each) for each in place.at("experiments").items()),
    )


def show_flag(flag: Flag) -> Tree:
    """The flag as the file spells it."""
    shown: dict[str, Tree] = {}
    if flag.name:
        shown["name"] = flag.name
    if flag.description:
        shown["description"] = flag.description
    if flag.state is not FlagState.ON:
        shown["state"] = str(flag.state)
    shown["default"] = flag.default
    shown["variations"] = {each.key: _show_variation(each) for each in flag.variations}
    if flag.experiments:
        shown["experiments"] = [_show_experiment(each) for each in flag.experiments]
    return shown


def _read_variation(key: str, place: Place) -> Variation:
    """A bare value, or a mapping with the value under `value`, or under `json` as exact text."""
    place.own_key()
    if not isinstance(place.value, dict):
        return Variation(key, _to_json(place.value))
    place.fields(_VARIATION)
    value, text = place.at("value"), place.at("json")
    if value.given == text.given:
        raise place.refusal("a variation's mapping has its value under `value`, or under `json`")
    return Variation(
        key,
        _read_json(text) if text.given else _to_json(value.value),
        place.at("name").name(),
        place.at("description").description(),
    )


def _show_variation(variation: Variation) -> Tree:
    value, exact = _from_json(variation.value)
    labels: dict[str, Tree] = {"name": variation.name, "description": variation.description}
    given = {label: text for label, text in labels.items() if text}
    if exact and not given and not isinstance(value, dict):
        return value
    return {"value": value, **given} if exact else {"json": variation.value, **given}


def _from_json(text: str) -> tuple[Tree, bool]:
    """The value that the text spells, and whether reading the value back gives that very text."""
    value: Tree = json.loads(text)
    try:
        inspect(Place(value), _VALUE_DEPTH_MAX)
    except InvalidInput:
        return value, False
    return value, _to_json(value) == text


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _read_json(place: Place) -> str:
    text = place.text()
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise place.refusal("this is not JSON text") from None
    return text


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _read_experiment(place: Place) -> FlagExperiment:
    if isinstance(place.value, str):
        return FlagExperiment(place.key())
    place.fields(("experiment", "miss"))
    return FlagExperiment(
        place.at("experiment").key(),
        place.at("miss").choice(Miss.NEXT),
    )


def _show_experiment(entry: FlagExperiment) -> Tree:
    if entry.miss is Miss.NEXT:
        return entry.experiment
    return {"experiment": entry.experiment, "miss": str(entry.miss)}
