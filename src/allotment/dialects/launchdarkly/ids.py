"""Ids as this API spells them, 24 hex digits, and the nouns that they and keys name."""

from __future__ import annotations

from typing import Final, TypeVar

from allotment.change.kinds import nouns_of
from allotment.dialects.launchdarkly.codes import invalid, missing
from allotment.dialects.wire.notes import Notes
from allotment.dialects.wire.operation import Find, Ids, Noun
from allotment.dialects.wire.spelling import HEX
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Iteration
from allotment.model.flag import Flag, Variation
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout

V = TypeVar("V")

# No id is as long.
ID_MAX: Final = 64

# Where an answer must have an id and there is nothing to name.
NO_MEMBER: Final = "0" * 24

# What this API has and the model lacks.
NOTES: Final = Notes("launchdarkly")


def id_of(kind: str, *keys: str) -> str:
    """The id of a noun by the keys that lead to it, as `identity` takes them."""
    return HEX.spell(identity(kind, *keys))


def id_of_iteration(experiment: str, iteration: Iteration) -> str:
    """The id of one of an experiment's iterations."""
    return id_of("iteration", experiment, str(iteration.number))


def id_of_treatment(experiment: str, iteration: Iteration, treatment: str) -> str:
    """The id of a treatment in one of an experiment's iterations."""
    return id_of("treatment", experiment, str(iteration.number), treatment)


def read_variation(flag: Flag, text: str, path: str) -> Variation:
    """The variation of the flag that the id names; raises Refusal, 400."""
    for variation in flag.variations:
        if id_of("variation", flag.key, variation.key) == text:
            return variation
    raise invalid("the flag has no variation with this id", path)


def index_of(flag: Flag, key: str) -> int:
    """The position of a variation in its flag."""
    return [one.key for one in flag.variations].index(key)


def find_holdout(catalog: Catalog, text: str) -> Holdout | None:
    """The holdout that the id names."""
    return HEX.find("holdout", catalog.holdouts, text, catalog)


def get(kind: str, nouns: Keyed[V], key: str) -> V:
    """The noun with the key; raises Refusal, 404."""
    found: V | None = nouns.get(key)
    return missing(kind) if found is None else found


def by_key(kind: str) -> Find:
    """Finds the noun of the kind whose key a path has."""

    def find(ids: Ids, catalog: Catalog) -> Noun:
        return Noun(kind, get(kind, nouns_of(catalog, kind), ids[f"{kind}Key"]).key)

    return find
