"""Ids as this API spells them, 24 hex digits, and the nouns that they and keys name."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.codes import missing
from allotment.dialects.wire.spelling import HEX
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Experiment, Iteration, Treatment
from allotment.model.flag import Flag, Variation
from allotment.model.layer import Holdout, Layer

# No id is as long.
ID_MAX: Final = 64

# Where an answer must have an id and there is nothing to name.
NO_MEMBER: Final = "0" * 24


def id_of(kind: str, *keys: str) -> str:
    """The id of a noun by the keys that lead to it, as `identity` takes them."""
    return HEX.spell(identity(kind, *keys))


def id_of_iteration(experiment: str, iteration: Iteration) -> str:
    """The id of one of an experiment's iterations."""
    return id_of("iteration", experiment, str(iteration.number))


def id_of_treatment(experiment: str, iteration: Iteration, treatment: str) -> str:
    """The id of a treatment in one of an experiment's iterations."""
    return id_of("treatment", experiment, str(iteration.number), treatment)


def find_variation(flag: Flag, text: str) -> Variation | None:
    """The variation of the flag that the id names."""
    for variation in flag.variations:
        if id_of("variation", flag.key, variation.key) == text:
            return variation
    return None


def find_treatment(experiment: str, iteration: Iteration, text: str) -> Treatment | None:
    """The treatment of the iteration that the id names."""
    for treatment in iteration.treatments:
        if id_of_treatment(experiment, iteration, treatment.key) == text:
            return treatment
    return None


def find_holdout(catalog: Catalog, text: str) -> Holdout | None:
    """The holdout that the id names."""
    wanted = HEX.read(text)
    keys = catalog.users.get(f"id:holdout:{wanted}", frozenset()) if wanted else frozenset()
    return next((catalog.holdouts[key] for key in keys), None)


def get_experiment(catalog: Catalog, key: str) -> Experiment:
    """The experiment with the key; raises Refusal, 404."""
    found: Experiment | None = catalog.experiments.get(key)
    return found or missing("experiment")


def get_flag(catalog: Catalog, key: str) -> Flag:
    """The flag with the key; raises Refusal, 404."""
    found: Flag | None = catalog.flags.get(key)
    return found or missing("flag")


def get_layer(catalog: Catalog, key: str) -> Layer:
    """The layer with the key; raises Refusal, 404."""
    found: Layer | None = catalog.layers.get(key)
    return found or missing("layer")


def get_holdout(catalog: Catalog, key: str) -> Holdout:
    """The holdout with the key; raises Refusal, 404."""
    found: Holdout | None = catalog.holdouts.get(key)
    return found or missing("holdout")
