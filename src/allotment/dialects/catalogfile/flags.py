"""Flags, in the file and back."""

from __future__ import annotations

from typing import Final

from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.catalogfile.values import (
    VALUE,
    read_kept,
    read_value,
    show_kept,
    show_value,
)
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss, Variation

_FIELDS: Final = ("name", "description", "state", "default", "variations", "experiments", "kept")
_VARIATIONS: Final = "a mapping of variations to their values, such as {off: false, on: true},"
_VARIATION: Final = (*VALUE, "name", "description")


def read_flag(key: str, place: Cursor) -> Flag:
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
        kept=read_kept(place.at("kept")),
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
    return {**shown, **show_kept(flag.kept)}


def _read_variation(key: str, place: Cursor) -> Variation:
    """A bare value, or a mapping with the value under `value`, or under `json` as exact text."""
    place.own_key()
    if not isinstance(place.value, dict):
        return Variation(key, read_value(place))
    place.fields(_VARIATION)
    return Variation(
        key,
        read_value(place),
        place.at("name").name(),
        place.at("description").description(),
    )


def _show_variation(variation: Variation) -> Tree:
    labels: dict[str, Tree] = {"name": variation.name, "description": variation.description}
    return show_value(variation.value, {label: text for label, text in labels.items() if text})


def _read_experiment(place: Cursor) -> FlagExperiment:
    if isinstance(place.value, str):
        return FlagExperiment(place.key())
    place.fields(("experiment", "miss", "otherwise"))
    return FlagExperiment(
        place.at("experiment").key(),
        place.at("miss").choice(Miss.NEXT),
        place.at("otherwise").key() if place.at("otherwise").given else None,
    )


def _show_experiment(entry: FlagExperiment) -> Tree:
    if entry.miss is Miss.NEXT:
        return entry.experiment
    shown: dict[str, Tree] = {"experiment": entry.experiment, "miss": str(entry.miss)}
    if entry.otherwise is not None:
        shown["otherwise"] = entry.otherwise
    return shown
