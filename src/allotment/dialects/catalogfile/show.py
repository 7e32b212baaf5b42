"""A catalog as the text of a catalog file."""

from __future__ import annotations

from allotment.dialects.catalogfile.cursor import Tree
from allotment.dialects.catalogfile.emit import emit
from allotment.dialects.catalogfile.experiments import show_experiment
from allotment.dialects.catalogfile.flags import show_flag
from allotment.dialects.catalogfile.layers import show_holdout, show_layer
from allotment.dialects.catalogfile.segments import show_segment
from allotment.dialects.catalogfile.values import show_kept
from allotment.model.catalog import Catalog


def show(catalog: Catalog) -> str:
    """All of `catalog` as YAML 1.2, nouns sorted by key, salts and slots and id lists included.

    It reads back as the same catalog: the same text for the same catalog, wherever it is shown.
    """
    sections: dict[str, dict[str, Tree]] = {
        "flags": {key: show_flag(flag) for key, flag in catalog.flags.items()},
        "segments": {key: show_segment(segment) for key, segment in catalog.segments.items()},
        "layers": {key: show_layer(layer) for key, layer in catalog.layers.items()},
        "holdouts": {key: show_holdout(holdout) for key, holdout in catalog.holdouts.items()},
        "experiments": {key: show_experiment(each) for key, each in catalog.experiments.items()},
    }
    given = {name: nouns for name, nouns in sections.items() if nouns}
    return emit({"allotment": 1, **given, **show_kept(catalog.kept)})
