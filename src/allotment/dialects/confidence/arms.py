"""The treatments of a request, as the model has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from allotment.dialects.confidence.kept import Values, kept
from allotment.dialects.confidence.names import flag_of, read_variant
from allotment.dialects.confidence.weights import PARTS, Weights, exact, read_weight
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Treatment
from allotment.model.flag import Flag
from allotment.model.limits import TREATMENTS_MAX

# Where what this API has of each treatment and the model lacks is kept.
NOTES: Final = "treatments"

NOTED: Final = ("description", "imageUri", "name")
_FIELDS: Final = ("variant", "weight", "displayName", *NOTED)
_TEXT_MAX: Final = 16_384
_LABEL_MAX: Final = 1_024

_Variant: TypeAlias = tuple[Flag, str] | None


@dataclass(frozen=True, slots=True)
class Arms:
    """Treatments, their weights, and the flag whose variants they are; `notes` are what is kept."""

    flag: Flag | None = None
    treatments: tuple[Treatment, ...] = ()
    weights: Weights = ()
    total: int = PARTS
    notes: Tree = None

    @property
    def control(self) -> str | None:
        """The treatment that sets the flag's default, else the first."""
        for one in self.treatments:
            if self.flag is not None and (self.flag.key, self.flag.default) in one.sets:
                return one.key
        return self.treatments[0].key if self.treatments else None


def notes_of(experiment: Experiment) -> dict[str, Values]:
    """What is kept of each treatment, by its key."""
    found = kept(experiment, NOTES)
    notes = found.items() if isinstance(found, dict) else ()
    return {key: note for key, note in notes if isinstance(note, dict)}


def read_arms(place: Place, old: Experiment | None, catalog: Catalog) -> Arms:
    """The treatments of a list. One of the `old` experiment that is meant again keeps its key, so
    that nobody moves but who must, and its exact weight where the list has it as it is shown."""
    items = [item.fields(_FIELDS) for item in place.items(0, TREATMENTS_MAX)]
    variants = [_variant(item.at("variant"), catalog) for item in items]
    flags = {one[0].key: one[0] for one in variants if one is not None}
    if len(flags) > 1:
        raise place.refusal("the variants of an instance belong to one flag; these do not")
    keys = _keys(items, variants, old)
    was = {one.key: one for one in (old.current.treatments if old else ())}
    shown = flag_of(old, catalog) if old else None
    treatments = tuple(
        Treatment(key, _label(item.at("displayName")), _sets(was.get(key), variant, shown))
        for item, variant, key in zip(items, variants, keys, strict=True)
    )
    asked = [(key, read_weight(item.at("weight"))) for item, key in zip(items, keys, strict=True)]
    weights, total = exact(asked, old.current if old else None)
    notes: Values = {key: _note(item, key) for item, key in zip(items, keys, strict=True)}
    left: Values = {key: note for key, note in notes.items() if note}
    return Arms(next(iter(flags.values()), None), treatments, weights, total, left or None)


def _variant(place: Place, catalog: Catalog) -> _Variant:
    return read_variant(place, catalog) if place.given and place.value != "" else None


def _label(place: Place) -> str:
    return place.text(0, _LABEL_MAX) if place.given else ""


def _note(item: Place, key: str) -> Values:
    given = {name: item.at(name).text(0, _TEXT_MAX) for name in NOTED if item.at(name).given}
    return {name: text for name, text in given.items() if (name, text) != ("name", key)}


def _sets(
    old: Treatment | None, variant: _Variant, shown: str | None
) -> tuple[tuple[str, str], ...]:
    """What a treatment sets; of what it sets besides the shown flag, nothing goes."""
    others = dict(old.sets) if old is not None else {}
    if variant is None:
        return tuple(others.items()) if shown not in others else ()
    flag, key = variant[0].key, variant[1]
    return tuple(sorted({**others, flag: key}.items())) if flag in others else ((flag, key),)


def _keys(
    items: Sequence[Place], variants: Sequence[_Variant], old: Experiment | None
) -> list[str]:
    """A key an item: of the old treatment that has its name, else its variant, else a new one."""
    there = old.current.treatments if old else ()
    notes = notes_of(old) if old else {}
    found: dict[int, str] = {}

    def take(index: int, keys: Iterable[str]) -> None:
        for key in keys:
            if index not in found and key not in found.values():
                found[index] = key

    for index, item in enumerate(items):
        name = item.at("name").value
        means = (one.key for one in there if notes.get(one.key, {}).get("name", one.key) == name)
        take(index, means)
    for index, variant in enumerate(variants):
        if variant is not None:
            sets = (variant[0].key, variant[1])
            take(index, (one.key for one in there if sets in one.sets))
    for index, (item, variant) in enumerate(zip(items, variants, strict=True)):
        if index not in found:
            label = item.at("name")
            text = _label(label) or (variant[1] if variant else "")
            taken = {*found.values(), *(one.key for one in there)}
            found[index] = slug(text, taken.__contains__, "treatment")
    return [found[index] for index in range(len(items))]
