"""Instances of the workflow abtest: one experiment of one iteration each, listed by its flag."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from allotment.change.commands import Command, Create
from allotment.dialects.confidence.arms import NOTES, read_arms
from allotment.dialects.confidence.audience import read_audience
from allotment.dialects.confidence.edits import (
    module_of,
    read_label,
    read_rest,
    read_target,
    treatments_of,
    write_document,
)
from allotment.dialects.confidence.fields import OUTPUT, SHAPE, read_document, without_nulls
from allotment.dialects.confidence.kept import NOTES as KEEPER
from allotment.dialects.confidence.kept import Values, keeping
from allotment.dialects.confidence.names import get_instance
from allotment.dialects.confidence.origin import creator_of
from allotment.dialects.confidence.shown import show_document
from allotment.dialects.confidence.treatments import allocations_of
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.listed import enlist, flags_that_list, remove
from allotment.dialects.wire.mask import implied, masked, read_mask
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.slug import slug
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State

MASK: Final = "updateMask"

_SALT_BYTES: Final = 12


def read_create(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that create a draft and list it with its flag, after those that are there."""
    document = Place(without_nulls(read_document(asked.body)))
    name = read_label(document.at("displayName"))
    arms = read_arms(treatments_of(document), None, catalog)
    flag = read_target(document, arms, None, catalog)
    audience = read_audience(module_of(document, "flags"), catalog)
    key = slug(name, catalog.experiments.__contains__, "abtest")
    iteration = Iteration(
        1,
        arms.treatments,
        allocations_of(arms),
        salt=asked.given.fresh(_SALT_BYTES),
        control=arms.control,
        audience=audience.segment,
    )
    # Nothing is kept of an owner that is not given: the creator is shown in its place.
    notes: Values = {**read_rest(document, key, flag, ""), NOTES: arms.notes}
    experiment = Experiment(
        key,
        (iteration,),
        name,
        unit=audience.unit,
        keeps_assignments=audience.keeps,
        ignore_targeting=audience.ignoring,
        intake_open=audience.open,
        kept=keeping(notes),
    )
    return [Create(experiment), *([enlist(key, flag, catalog)] if flag else [])]


def read_clone(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that create a draft like the instance, with a salt of its own.

    What it has from elsewhere it has still, but for a place in a layer: that is another's.
    """
    body = asked.body.fields(("displayName", "parameters"))
    if body.at("parameters").given:
        body.at("parameters").fields(())
    source = get_instance(catalog, asked.ids["instance"])
    label = body.at("displayName")
    name = read_label(label) if label.given else source.name or source.key
    key = slug(name, catalog.experiments.__contains__, "abtest")
    iteration = replace(
        source.current,
        number=1,
        state=State.DRAFT,
        allocations=tuple(replace(one, slots=()) for one in source.current.allocations),
        salt=asked.given.fresh(_SALT_BYTES),
        reshuffle=False,
        justification="",
        winner=None,
        winning_reason="",
        started_at=None,
        ended_at=None,
    )
    mine = tuple(note for note in source.kept if note[0].startswith(f"{KEEPER.dialect}/"))
    clone = replace(
        source,
        key=key,
        name=name,
        iterations=(iteration,),
        layer=None,
        shared_salt=False,
        archived=False,
        kept=mine,
    )
    flags = flags_that_list(source.key, catalog)
    return [Create(clone), *(enlist(key, flag, catalog) for flag in flags)]


def read_update(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH: what leads from the document as it is shown to the one with what
    the body has where the mask says; where there is no mask, at all that the body gives."""
    experiment = get_instance(catalog, asked.ids["instance"])
    place = asked.query.at(MASK)
    mask = read_mask(place, SHAPE)
    if any(path and path[0] in OUTPUT for path in mask or ()):
        raise place.refusal(f"these are told and never set: {', '.join(OUTPUT)}")
    body = read_document(asked.body)
    creator = creator_of(asked.versions[f"experiment:{experiment.key}"])
    was = show_document(experiment, catalog, creator)
    wanted = masked(was, body, implied(body, SHAPE) if mask is None else mask)
    document = without_nulls(wanted if isinstance(wanted, dict) else {})
    return [*write_document(experiment, creator, Place(document), catalog)]


def read_delete(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that take the instance from its flag and delete it."""
    experiment = get_instance(catalog, asked.ids["instance"])
    return remove(experiment.key, catalog)
