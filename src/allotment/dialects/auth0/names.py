"""How nouns are named, by ids and in words, and what of them the model lacks.

An id is `exp_` and 22 digits of base58.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias, TypeVar

from allotment.change.commands import Command, Describe, Rename
from allotment.change.commands import Noun as AnyNoun
from allotment.change.kinds import nouns_of
from allotment.dialects.auth0.errors import missing, name_taken
from allotment.dialects.auth0.fields import Auth0LabelsUpdate
from allotment.dialects.wire.listed import flag_of
from allotment.dialects.wire.notes import Notes
from allotment.dialects.wire.operation import Find, Ids, Noun, ReadVersion
from allotment.dialects.wire.spelling import BASE58
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag, Variation
from allotment.model.instant import show_instant
from allotment.model.keyed import Keyed

V = TypeVar("V")

_PREFIXES: Final = {"experiment": "exp_", "flag": "flg_", "segment": "seg_", "variation": "var_"}

# The variation that holds a flag's defaults. This API shows it as the flag's parameters.
DEFAULTS: Final = "defaults"

# Where an answer must have the id of a flag and there is none.
NO_FLAG: Final = _PREFIXES["flag"] + BASE58.spell("0" * 24)


def id_of(kind: str, *keys: str) -> str:
    """The id of a noun; of a variation by the keys of its flag and its own."""
    return _PREFIXES[kind] + BASE58.spell(identity(kind, *keys))


def flag_id_of(experiment: Experiment, catalog: Catalog) -> str:
    """The id of the flag whose variations the experiment allocates, or of nothing."""
    key = flag_of(experiment, catalog)
    return NO_FLAG if key is None else id_of("flag", key)


def find(kind: str, nouns: Keyed[V], text: str, catalog: Catalog) -> V | None:
    """The noun of the kind that the id names."""
    prefix = _PREFIXES[kind]
    named = text.startswith(prefix)
    return BASE58.find(kind, nouns, text.removeprefix(prefix), catalog) if named else None


def noun_at(kind: str, nouns: Keyed[V], ids: Ids, catalog: Catalog) -> V:
    """The noun of the kind that a path names; raises Refusal, 404."""
    return find(kind, nouns, ids["id"], catalog) or missing(kind)


def by_id(kind: str, *, must_be: bool = True) -> Find:
    """Finds the noun that a path names; one that may be gone is the noun of no key."""

    def found(ids: Ids, catalog: Catalog) -> Noun:
        noun = find(kind, nouns_of(catalog, kind), ids["id"], catalog)
        if noun is None and must_be:
            missing(kind)
        return Noun(kind, noun.key if noun else "")

    return found


def find_variation(flag: Flag, text: str) -> Variation | None:
    """The variation of the flag that the id names, of those that are shown."""
    shown = visible(flag)
    return next((one for one in shown if id_of("variation", flag.key, one.key) == text), None)


def variation_at(flag: Flag, text: str) -> Variation:
    """The variation of the flag that the id names; raises Refusal, 404."""
    return find_variation(flag, text) or missing("variation")


def visible(flag: Flag) -> tuple[Variation, ...]:
    """The variations that this API lists: all but the one that holds the defaults."""
    if flag.default != DEFAULTS:
        return flag.variations
    return tuple(one for one in flag.variations if one.key != DEFAULTS)


# Fields that the model lacks are stored with the noun.
FIELDS: Final = Notes("auth0")


# Whatever has a name and a description.
Labelled: TypeAlias = AnyNoun | Variation

N = TypeVar("N", bound=Labelled)


def shown_name(noun: Labelled) -> str:
    """The name; the key of a noun that was made without one."""
    return noun.name or noun.key


def check_name_free(kind: str, name: str, nouns: Keyed[N], besides: str = "") -> None:
    """Raise the 409 where another noun than the one with the key `besides` shows this name."""
    for part in nouns.shards:
        for key, noun in part.items():
            if (noun.name or key) == name and key != besides:
                raise name_taken(kind)


def update_labels(
    kind: str, noun: N, body: Auth0LabelsUpdate, nouns: Keyed[N]
) -> Iterator[Command]:
    """The commands for an update's name and description."""
    if body.name is not None:
        check_name_free(kind, body.name, nouns, noun.key)
        yield Rename(kind, noun.key, body.name)
    description = updated_description(body, noun)
    if description != noun.description:
        yield Describe(kind, noun.key, description)


def updated_description(body: Auth0LabelsUpdate, noun: Labelled) -> str:
    """The description after an update."""
    return (body.description or "") if "description" in body.model_fields_set else noun.description


def show_named(kind: str, noun: Labelled, version: ReadVersion) -> dict[str, Any]:
    """What every noun shows."""
    return {
        "id": id_of(kind, noun.key),
        "name": shown_name(noun),
        "description": noun.description or None,
        "created_at": show_instant(version.created_at),
        "updated_at": show_instant(version.updated_at),
    }
