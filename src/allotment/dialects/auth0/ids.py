"""Ids as this API spells them, `exp_` and 22 digits of base58, and the nouns they name."""

from __future__ import annotations

from typing import Final, TypeVar

from allotment.dialects.auth0.errors import missing
from allotment.dialects.wire.spelling import BASE58
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag, Variation
from allotment.model.keyed import Keyed
from allotment.model.segment import Segment

V = TypeVar("V")

_PREFIXES: Final = {"experiment": "exp_", "flag": "flg_", "segment": "seg_", "variation": "var_"}

# Where an answer must have an id and there is nothing to name.
NO_ID: Final = "0" * 24

# The variation that holds a flag's defaults. This API shows it as the flag's parameters.
DEFAULTS: Final = "defaults"


def id_of(kind: str, *keys: str) -> str:
    """The id of a noun; of a variation by the keys of its flag and its own."""
    return _PREFIXES[kind] + BASE58.spell(identity(kind, *keys))


def id_of_nothing(kind: str) -> str:
    """An id of the right form that names nothing."""
    return _PREFIXES[kind] + BASE58.spell(NO_ID)


def find_experiment(catalog: Catalog, text: str) -> Experiment | None:
    """The experiment that the id names."""
    return _find("experiment", catalog.experiments, text, catalog)


def find_flag(catalog: Catalog, text: str) -> Flag | None:
    """The flag that the id names."""
    return _find("flag", catalog.flags, text, catalog)


def find_segment(catalog: Catalog, text: str) -> Segment | None:
    """The segment that the id names."""
    return _find("segment", catalog.segments, text, catalog)


def find_variation(flag: Flag, text: str) -> Variation | None:
    """The variation of the flag that the id names, of those that are shown."""
    shown = visible(flag)
    return next((one for one in shown if id_of("variation", flag.key, one.key) == text), None)


def get_experiment(catalog: Catalog, text: str) -> Experiment:
    """The experiment that the id names; raises Refusal, 404."""
    return find_experiment(catalog, text) or missing("experiment")


def get_flag(catalog: Catalog, text: str) -> Flag:
    """The flag that the id names; raises Refusal, 404."""
    return find_flag(catalog, text) or missing("flag")


def get_segment(catalog: Catalog, text: str) -> Segment:
    """The segment that the id names; raises Refusal, 404."""
    return find_segment(catalog, text) or missing("segment")


def get_variation(flag: Flag, text: str) -> Variation:
    """The variation of the flag that the id names; raises Refusal, 404."""
    return find_variation(flag, text) or missing("variation")


def visible(flag: Flag) -> tuple[Variation, ...]:
    """The variations that this API lists: all but the one that holds the defaults."""
    if flag.default != DEFAULTS:
        return flag.variations
    return tuple(one for one in flag.variations if one.key != DEFAULTS)


def _find(kind: str, nouns: Keyed[V], text: str, catalog: Catalog) -> V | None:
    prefix = _PREFIXES[kind]
    if not text.startswith(prefix):
        return None
    return BASE58.find(kind, nouns, text.removeprefix(prefix), catalog)
