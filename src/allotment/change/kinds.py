"""The five kinds of noun: where a catalog has each, and the paths that errors carry."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Noun
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed
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


def nouns_of(catalog: Catalog, kind: str) -> Keyed[Noun]:
    """The catalog's nouns of one kind."""
    if kind not in KINDS:
        raise InvalidInput(f"{kind!r} is not a kind of noun; the kinds are {', '.join(KINDS)}")
    nouns: Keyed[Noun] = getattr(catalog, f"{kind}s")
    return nouns


def noun_path(kind: str, key: str) -> str:
    """The path of a noun: `$.flags.checkout`."""
    return f"$.{kind}s.{key}"


def iteration_path(experiment: Experiment, iteration: Iteration) -> str:
    """The path of an iteration: the experiment's own for the current one, else its position
    among the others: `$.experiments.checkout.iterations[0]`."""
    path = noun_path("experiment", experiment.key)
    current = experiment.current
    if iteration is current:
        return path
    others = [other for other in experiment.iterations if other is not current]
    index = next(i for i, other in enumerate(others) if other is iteration)
    return f"{path}.iterations[{index}]"
