"""What a document says of an instance, and the commands from the one that is shown to another.

Only differences become commands: a document that is sent as it is shown changes nothing, however
much of the experiment this API cannot say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command, Rename
from allotment.dialects.confidence.arms import NOTES, Arms, read_arms
from allotment.dialects.confidence.audience import read_audience, write_audience
from allotment.dialects.confidence.fields import MODULES
from allotment.dialects.confidence.kept import Values, keep, kept
from allotment.dialects.confidence.locks import shown_locks
from allotment.dialects.confidence.names import flag_name, flag_of, read_flag
from allotment.dialects.confidence.shown import (
    KEPT,
    READ,
    default,
    defaults,
    show_document,
)
from allotment.dialects.confidence.transitions import shown_state
from allotment.dialects.confidence.treatments import write_treatments
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.listed import enlist, unlist
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import FlagState

_NAME_MAX: Final = 1_024


def read_label(place: Place) -> str:
    """The name that people see, which every instance has."""
    if not place.given:
        raise place.refusal("this is required")
    return place.text(1, _NAME_MAX)


def module_of(document: Place, name: str) -> Place:
    """One of the document's modules, empty where it has none."""
    module = document.at(name)
    return module if module.given else Place({}, module.path)


def treatments_of(document: Place) -> Place:
    """The list of treatments, empty where there is none."""
    place = module_of(document, "abtest").at("treatments")
    return place if place.given else Place([], place.path)


def read_target(document: Place, arms: Arms, old: str | None, catalog: Catalog) -> str | None:
    """The key of the flag that the document is about, where the `old` one is shown so far.

    It stands there twice and, in the names of variants, again: all that is new must agree.
    """
    named = [module_of(document, name).at("flag") for name in ("abtest", "flags")]
    named = [place for place in named if place.given and place.value != ""]
    was = None if old is None else flag_name(old)
    new = {read_flag(place, catalog).key: place for place in named if place.value != was}
    if arms.flag is not None:
        others = [place for key, place in new.items() if key != arms.flag.key]
        new = {arms.flag.key: treatments_of(document)}
    else:
        others = [*new.values()][1:]
    if others:
        raise others[0].refusal("this names another flag than the rest of the instance does")
    flag = next(iter(new), old if named else None)
    if flag is not None and flag != old and catalog.flags[flag].state is FlagState.ARCHIVED:
        raise InvalidChange("an archived flag takes no new instances", new[flag].path)
    return flag


def read_rest(document: Place, key: str, flag: str | None, creator: str) -> Values:
    """What is kept of a document, by where: all of it that is not read."""
    rest: Values = {}
    for name in KEPT:
        value = document.at(name)
        rest[name] = None if not value.given else _unless(value.tree(), default(name, creator))
    for name in MODULES:
        usual = defaults(name, key, flag)
        module = {
            field: value
            for field, value in _entries(module_of(document, name))
            if field not in READ.get(name, ()) and not alike(value, usual.get(field))
        }
        rest[name] = module or None
    return rest


def write_document(
    experiment: Experiment, creator: str, wanted: Place, catalog: Catalog
) -> Iterator[Command]:
    """The commands that lead from the document as it is shown to the wanted one."""
    was = Place(show_document(experiment, catalog, creator))
    key, old = experiment.key, flag_of(experiment, catalog)
    if wanted.at("displayName") != was.at("displayName"):
        yield Rename("experiment", key, read_label(wanted.at("displayName")))
    arms = read_arms(treatments_of(wanted), experiment, catalog)
    flag = read_target(wanted, arms, old, catalog)
    if not alike(treatments_of(wanted).tree(), treatments_of(was).tree()):
        yield from write_treatments(arms, experiment)
        if arms.notes != kept(experiment, NOTES):
            yield keep("experiment", key, NOTES, arms.notes)
    if flag != old:
        yield from _move(key, old, flag, catalog)
    module = module_of(wanted, "flags")
    before = read_audience(module_of(was, "flags"), catalog)
    yield from write_audience(key, before, read_audience(module, catalog))
    yield from _write_rest(experiment, read_rest(wanted, key, old, creator), wanted)


def _write_rest(experiment: Experiment, rest: Values, wanted: Place) -> Iterator[Command]:
    locks = shown_locks(experiment)
    for name, value in rest.items():
        if alike(value, kept(experiment, name)):
            continue
        if name in locks:
            message = f"this module is locked while the instance is {shown_state(experiment)}"
            raise InvalidChange(message, wanted.at(name).path)
        yield keep("experiment", experiment.key, name, value)


def _move(key: str, old: str | None, new: str | None, catalog: Catalog) -> Iterator[Command]:
    """From the list of one flag to the end of another's."""
    if old is not None:
        yield unlist(key, old, catalog)
    if new is not None:
        yield enlist(key, new, catalog)


def _unless(value: Tree, usual: Tree) -> Tree:
    return None if alike(value, usual) else value


def _entries(module: Place) -> Iterator[tuple[str, Tree]]:
    value = module.tree()
    yield from value.items() if isinstance(value, dict) else ()
