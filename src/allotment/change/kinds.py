"""The five kinds of noun, and where a catalog keeps each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from allotment.change.commands import Noun
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Segment

KINDS: Final[dict[str, type[Noun]]] = {
    "flag": Flag,
    "segment": Segment,
    "layer": Layer,
    "holdout": Holdout,
    "experiment": Experiment,
}
# What a space keeps itself has this for kind and key; it is no noun.
CATALOG: Final = "catalog"

WORDS: Final = {noun: word for word, noun in KINDS.items()}


def kind_of(noun: Noun) -> str:
    """The word for the noun's kind: "flag", "segment", "layer", "holdout" or "experiment"."""
    if type(noun) not in WORDS:
        raise InvalidInput(f"a catalog has no nouns of type {type(noun).__name__}")
    return WORDS[type(noun)]


def shelf(catalog: Catalog, kind: str) -> Mapping[str, Noun]:
    """The catalog's nouns of one kind."""
    shelves: dict[str, Mapping[str, Noun]] = {
        "flag": catalog.flags,
        "segment": catalog.segments,
        "layer": catalog.layers,
        "holdout": catalog.holdouts,
        "experiment": catalog.experiments,
    }
    if kind not in shelves:
        raise InvalidInput(f"{kind!r} is not a kind of noun; the kinds are {', '.join(KINDS)}")
    return shelves[kind]
