"""A part of a change: some nouns become what a target says, the others stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from allotment.change.kinds import KINDS, nouns_of
from allotment.errors import NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.flag import FlagExperiment
from allotment.model.layer import Reservation

_Place = TypeVar("_Place", FlagExperiment, Reservation)

Choose: TypeAlias = Callable[[str, str], bool]


def only(base: Catalog, target: Catalog, keys: Iterable[str]) -> Catalog:
    """`base`, in which the nouns of these keys are what `target` has of them, or are gone.

    A key stands for the nouns of every kind that have it. Raises NotFound for a key of none.
    """
    wanted = set(keys)
    known = {key for each in (base, target) for kind in KINDS for key in nouns_of(each, kind)}
    for key in sorted(wanted - known):
        raise NotFound(f"nothing has the key {key!r}{did_you_mean(key, known)}")
    return _part(base, target, lambda _, key: key in wanted)


def only_nouns(base: Catalog, target: Catalog, nouns: Iterable[tuple[str, str]]) -> Catalog:
    """`base`, in which these nouns, by kind and key, are what `target` has of them, or are gone."""
    wanted = set(nouns)
    return _part(base, target, lambda kind, key: (kind, key) in wanted)


def only_experiment(base: Catalog, target: Catalog, experiment: str) -> Catalog:
    """`base`, in which one experiment is what `target` has of it, or is gone."""
    if experiment not in base.experiments and experiment not in target.experiments:
        known = (*base.experiments, *target.experiments)
        raise NotFound(f"there is no experiment {experiment!r}{did_you_mean(experiment, known)}")
    return _part(base, target, lambda kind, key: (kind, key) == ("experiment", experiment))


def without_deletions(base: Catalog, target: Catalog) -> Catalog:
    """`target` with the nouns of `base` that it lacks."""
    return _part(base, target, lambda kind, key: key in nouns_of(target, kind))


def _part(base: Catalog, target: Catalog, chosen: Choose) -> Catalog:
    """The chosen nouns as in `target`, the others as in `base`.

    With an experiment go its reservation in a layer and its place in a flag's list.
    """
    found = base
    for kind in KINDS:
        was, will = nouns_of(base, kind), nouns_of(target, kind)
        keys = [key for key in dict.fromkeys((*was, *will)) if chosen(kind, key)]
        part: dict[str, Any] = {f"{kind}s": was.change({key: will.get(key) for key in keys})}
        found = replace(found, **part)
    for shelf, listing in (("flags", "experiments"), ("layers", "reservations")):
        nouns = getattr(found, shelf)
        changed: dict[str, Any] = {}
        for key, noun in nouns.items():
            was, will = (_listed(each, shelf, key, listing) for each in (base, target))
            if (places := _places(was, will, chosen)) != getattr(noun, listing):
                changed[key] = replace(noun, **{listing: places})
        found = replace(found, **{shelf: nouns.change(changed)})
    return found


def _listed(catalog: Catalog, shelf: str, key: str, listing: str) -> Any:
    """The places in a noun's list; none where the noun is not there."""
    return getattr(getattr(catalog, shelf).get(key), listing, ())


def _places(base: Sequence[_Place], target: Sequence[_Place], chosen: Choose) -> tuple[_Place, ...]:
    """The places of chosen experiments as in `target`, of the others as in `base`.

    Chosen ones stand in their order in `target`; a new one follows whom it follows there.
    """
    was, will = ({place.experiment for place in places} for places in (base, target))
    meant = [place for place in target if chosen("experiment", place.experiment)]
    known = iter([place for place in meant if place.experiment in was])
    places = [
        next(known) if chosen("experiment", place.experiment) else place
        for place in base
        if not chosen("experiment", place.experiment) or place.experiment in will
    ]
    for place in meant:
        if place.experiment not in was:
            before = {each.experiment for each in target[: target.index(place)]}
            behind = [at for at, each in enumerate(places, 1) if each.experiment in before]
            places.insert(max(behind, default=0), place)
    return tuple(places)
