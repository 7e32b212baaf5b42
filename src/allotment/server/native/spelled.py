"""One noun as the catalog file spells it, in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from allotment.change.commands import Command, Noun
from allotment.change.diff import diff
from allotment.change.kinds import kind_of, nouns_of
from allotment.dialects.catalogfile.cursor import Alike, Cursor, Tree
from allotment.dialects.catalogfile.experiments import read_experiment, show_experiment
from allotment.dialects.catalogfile.flags import read_flag, show_flag
from allotment.dialects.catalogfile.layers import (
    read_holdout,
    read_layer,
    show_holdout,
    show_layer,
)
from allotment.dialects.catalogfile.segments import read_segment, show_segment
from allotment.errors import NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.text import check_key

_SHOW: Final[dict[str, Any]] = {
    "flag": show_flag,
    "segment": show_segment,
    "layer": show_layer,
    "holdout": show_holdout,
    "experiment": show_experiment,
}


def noun_of(catalog: Catalog, kind: str, key: str) -> Noun:
    """The noun; NotFound where there is none."""
    noun: Noun | None = nouns_of(catalog, kind).get(key)
    if noun is None:
        raise NotFound(f"there is no {kind} of that key")
    return noun


def show_noun(noun: Noun) -> Tree:
    """The noun as the catalog file spells it, without its key."""
    shown: Tree = _SHOW[kind_of(noun)](noun)
    return shown


def read_noun(kind: str, key: str, tree: Tree, catalog: Catalog) -> tuple[Command, ...]:
    """The commands that put the noun into the catalog in place of what is there under its key.

    Salts, slots and ranges that are left out stay as they are. Raises InvalidInput with the path
    of the fault in the tree.
    """
    check_key(key, "path.key")
    shelf_name = f"{kind}s"
    noun = _read(kind, key, Cursor(tree), catalog)
    shelves: dict[str, Any] = {shelf_name: getattr(catalog, shelf_name).change({key: noun})}
    return diff(catalog, replace(catalog, **shelves))


def _read(kind: str, key: str, place: Cursor, catalog: Catalog) -> Noun:
    match kind:
        case "flag":
            return read_flag(key, place)
        case "segment":
            return read_segment(key, place, None)
        case "layer":
            return read_layer(key, place)
        case "holdout":
            return read_holdout(key, place)
    before: Experiment | None = catalog.experiments.get(key)
    return read_experiment(key, place, before.layer if before else None, before, Alike())


def keys_from(catalog: Catalog, kind: str, after: str, limit: int) -> Sequence[str]:
    """Up to `limit` keys of a kind, sorted, from the one after `after` on."""
    keys = [key for shard in getattr(catalog, f"{kind}s").shards for key in shard if key > after]
    return sorted(keys)[:limit]
