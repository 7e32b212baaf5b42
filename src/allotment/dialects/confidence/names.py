"""How nouns are named, who made them, and what is kept with them.

A flag, a variant and a segment stand in their names by their keys; an instance by 20 characters
that are a pure function of its experiment's key.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final, TypeVar

from allotment.change.kinds import nouns_of
from allotment.dialects.confidence.codes import missing, taken
from allotment.dialects.wire.notes import Notes
from allotment.dialects.wire.operation import Call, Find, Ids, Noun, ReadVersion
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.spelling import BASE36
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.instant import show_instant
from allotment.model.keyed import Keyed

V = TypeVar("V")

INSTANCES: Final = "workflows/abtest/instances"

_FRESH_BYTES: Final = 12


def instance_id(key: str) -> str:
    """The last part of an instance's name, by its experiment's key."""
    return BASE36.spell(identity("experiment", key))


def instance_name(key: str) -> str:
    """The name of the experiment's instance."""
    return f"{INSTANCES}/{instance_id(key)}"


def flag_name(key: str) -> str:
    """The name of a flag."""
    return f"flags/{key}"


def variant_name(flag: str, variation: str) -> str:
    """The name of a flag's variant."""
    return f"flags/{flag}/variants/{variation}"


def rule_name(flag: str, experiment: str) -> str:
    """The name of the rule that an experiment is among those of a flag."""
    return f"flags/{flag}/rules/{instance_id(experiment)}"


def segment_name(key: str) -> str:
    """The name of a segment."""
    return f"segments/{key}"


def new_id(given: str | None, kind: str, nouns: Container[str], call: Call[Any]) -> str:
    """The id that a request gives a new noun, or else 20 fresh characters."""
    if given is None:
        return BASE36.spell(call.fresh(_FRESH_BYTES))
    if given in nouns:
        raise taken(kind)
    return given


def instance_at(catalog: Catalog, text: str) -> Experiment:
    """The experiment whose instance has this id; raises Refusal, 404."""
    found = BASE36.find("experiment", catalog.experiments, text, catalog)
    return found or missing("experiment")


def noun_at(kind: str, nouns: Keyed[V], ids: Ids) -> V:
    """The noun of the kind that a path names; raises Refusal, 404."""
    noun: V | None = nouns.get(ids[kind])
    return noun or missing(kind)


def by_key(kind: str) -> Find:
    """Finds the noun of the kind that a path names."""
    return lambda ids, catalog: Noun(kind, noun_at(kind, nouns_of(catalog, kind), ids).key)


def read_named(kind: str, nouns: Keyed[V], name: str, path: str) -> V:
    """The noun of the kind that a name in a body names; raises InvalidInput where there is none."""
    collection, slash, key = name.partition("/")
    if collection != f"{kind}s" or not slash or "/" in key:
        raise InvalidInput(f"a name like {kind}s/ID belongs here", path)
    noun: V | None = nouns.get(key)
    if noun is None:
        raise InvalidInput(f"there is no such {kind}", path)
    return noun


def read_variant(name: str, path: str, catalog: Catalog) -> tuple[Flag, str]:
    """The flag and the key of its variation that a name in a body names."""
    parts = name.split("/")
    if len(parts) != 4 or (parts[0], parts[2]) != ("flags", "variants"):
        raise InvalidInput("a name like flags/FLAG/variants/VARIANT belongs here", path)
    flag: Flag | None = catalog.flags.get(parts[1])
    if flag is None or parts[3] not in (one.key for one in flag.variations):
        raise InvalidInput("there is no such variant", path)
    return flag, parts[3]


# Shown where the journal does not know who it was; this API wants a name.
_UNKNOWN: Final = "allotment"


def creator_of(version: ReadVersion) -> str:
    """Who brought the noun in, as the journal has it: the id of a token, mostly."""
    return version.created_by or _UNKNOWN


def show_origin(version: ReadVersion) -> dict[str, Any]:
    """The times of a noun and who is behind them."""
    return {
        "createTime": show_instant(version.created_at),
        "updateTime": show_instant(version.updated_at),
        "creator": creator_of(version),
        "updater": version.updated_by or _UNKNOWN,
    }


Values = dict[str, Tree]

NOTES: Final = Notes("confidence")


def labels_of(variant: str) -> str:
    """Where a flag keeps the labels of a variant."""
    return f"variant/{variant}/labels"


# The attribute that names the unit where a request names none, and the kind of unit that it names.
SELECTOR: Final = "targeting_key"
UNIT: Final = "user"


def selector_of(kind: str) -> str:
    """Where in an evaluation context the unit of a kind stands."""
    return SELECTOR if kind == UNIT else kind
