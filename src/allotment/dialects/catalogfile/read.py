"""A catalog file's text to the commands that lead to what it says."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.dialects.catalogfile.cursor import Alike, Cursor, Tree
from allotment.dialects.catalogfile.experiments import read_experiment
from allotment.dialects.catalogfile.flags import read_flag
from allotment.dialects.catalogfile.layers import read_holdout, read_layer
from allotment.dialects.catalogfile.segments import Lists, read_segment
from allotment.dialects.catalogfile.source import parse
from allotment.dialects.catalogfile.values import read_kept
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.keyed import Keyed
from allotment.model.layer import Layer

_FIELDS: Final = ("allotment", "flags", "segments", "layers", "holdouts", "experiments", "kept")
_VERSION: Final = 1


def read(text: str | bytes, catalog: Catalog, lists: Lists | None = None) -> tuple[Command, ...]:
    """The commands that lead from `catalog` to what the text says; none where it says the same.

    `lists` gives the bytes of an id list beside the file, by its name there. Raises InvalidInput
    with the path of the fault in the file.
    """
    return diff(catalog, read_target(text, lists, catalog))


def read_target(text: str | bytes, lists: Lists | None = None, catalog: Catalog = EMPTY) -> Catalog:
    """The catalog that the text says, at revision 0; see `read_tree`."""
    return read_tree(parse(text), lists, catalog)


def read_tree(tree: Tree, lists: Lists | None = None, catalog: Catalog = EMPTY) -> Catalog:
    """The catalog that a text's tree says, at revision 0.

    Salts that it leaves out are "", slots and the ranges of a share are (): as the catalog has
    them, or laid afresh. The number of an iteration that it leaves out, and then the iterations
    beside it, are taken from `catalog`.
    """
    top = Cursor(tree).fields(_FIELDS)
    version = top.at("allotment")
    if not version.given or version.whole(0) != _VERSION:
        raise version.refusal(f"a catalog begins with its format: `allotment: {_VERSION}`")
    flags = [(key, read_flag(key, at)) for key, at in _nouns(top, "flags")]
    segments = [(key, read_segment(key, at, lists)) for key, at in _nouns(top, "segments")]
    layers = [(key, read_layer(key, at)) for key, at in _nouns(top, "layers")]
    holdouts = [(key, read_holdout(key, at)) for key, at in _nouns(top, "holdouts")]
    layer_of = _layers_by_experiment(top, [layer for _, layer in layers])
    alike = Alike()
    experiments = [
        (key, read_experiment(key, at, layer_of.get(key), catalog.experiments.get(key), alike))
        for key, at in _nouns(top, "experiments")
    ]
    return Catalog(
        flags=Keyed(flags),
        segments=Keyed(segments),
        layers=Keyed(layers),
        holdouts=Keyed(holdouts),
        experiments=Keyed(experiments),
        kept=read_kept(top.at("kept")),
    )


def _nouns(top: Cursor, section: str) -> list[tuple[str, Cursor]]:
    return [(at.own_key(), at) for _, at in top.at(section).entries()]


def _layers_by_experiment(top: Cursor, layers: list[Layer]) -> dict[str, str]:
    layer_of: dict[str, str] = {}
    for layer in layers:
        for reservation in layer.reservations:
            experiment = reservation.experiment
            if experiment in layer_of:
                place = top.at("layers").at(layer.key).at("reservations").at(experiment)
                raise place.refusal(
                    f"{experiment} is in the layer {layer_of[experiment]} already; "
                    "an experiment is in one layer"
                )
            layer_of[experiment] = layer.key
    return layer_of
