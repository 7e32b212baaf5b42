"""Holdouts: units that are kept out of all experiments of a holdout, to see what these did."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import (
    Command,
    Create,
    Describe,
    SetHoldout,
    SetHoldoutShare,
)
from allotment.dialects.launchdarkly.codes import taken
from allotment.dialects.launchdarkly.ids import get_experiment, get_holdout
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import (
    read_description,
    read_key,
    read_name,
    read_new_description,
    rename,
)
from allotment.dialects.launchdarkly.metrics import read_metrics
from allotment.dialects.launchdarkly.patch import read_instructions
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS
from allotment.model.number import read_weight

_UNIT: Final = "user"

# What the model lacks, by how it is kept; only who asks for the holdout sees it again.
MAINTAINER: Final = "maintainerId"
ATTRIBUTES: Final = "attributes"
METRICS: Final = "metrics"
PRIMARY: Final = "primarymetrickey"
PREREQUISITE: Final = "prerequisiteflagkey"

_KEPT_TEXTS: Final = (MAINTAINER, PRIMARY, PREREQUISITE)
_ITEMS_MAX: Final = 100
_TEXT_MAX: Final = 1024
_AMOUNT_MAX: Final = 16


def read_create_holdout(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the holdout, which no experiment is under yet."""
    body = asked.body
    key, name = body.at("key"), body.at("name")
    if not (key.said or name.said):
        raise key.refusal("a key or a name is needed")
    unit = body.at("randomizationunit")
    shown = read_name(name) if name.said else ""
    holdout = Holdout(
        read_key(key) if key.said else slug(shown, catalog.holdouts.__contains__, "holdout"),
        "",
        _read_amount(body.at("holdoutamount")),
        shown,
        read_description(body.at("description")),
        read_key(unit) if unit.said else _UNIT,
        NOTES.on_new(_read_kept(body)),
    )
    if holdout.key in catalog.holdouts:
        raise taken("holdout")
    return [Create(holdout)]


def read_update_holdout(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a semantic patch."""
    key = get_holdout(catalog, asked.ids["holdoutKey"]).key

    def named(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
        return rename(catalog.holdouts[key], step.at("value"))

    def describe(step: Place, _catalog: Catalog, _given: Given) -> list[Command]:
        return [Describe("holdout", key, read_new_description(step.at("value")))]

    def remove(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
        experiment = get_experiment(catalog, step.at("value").text(1, _TEXT_MAX))
        return [SetHoldout(experiment.key, None)] if experiment.holdout == key else []

    def end(_step: Place, _catalog: Catalog, _given: Given) -> list[Command]:
        # A holdout that holds nobody out has ended: its experiments get these units too.
        return [SetHoldoutShare(key, 0)]

    kinds = {
        "updateName": named,
        "updateDescription": describe,
        "removeExperiment": remove,
        "endHoldout": end,
    }
    return read_instructions(asked.body, kinds, catalog, asked.given)


def _read_amount(place: Place) -> int:
    """The percentage, which is text, as parts of a million."""
    share = read_weight(place.text(1, _AMOUNT_MAX), place.path) * (BUCKETS // 100)
    if not 0 < share <= BUCKETS or share != int(share):
        raise place.refusal("more than 0 and at most 100 percent, with up to four decimals")
    return int(share)


def _read_kept(body: Place) -> dict[str, Tree]:
    kept: dict[str, Tree] = {
        name: body.at(name).text(1, _TEXT_MAX) for name in _KEPT_TEXTS if body.at(name).said
    }
    if body.at(ATTRIBUTES).said:
        items = body.at(ATTRIBUTES).items(0, _ITEMS_MAX)
        kept[ATTRIBUTES] = [each.text(1, _TEXT_MAX) for each in items]
    if body.at(METRICS).said:
        kept[METRICS] = [*read_metrics(body.at(METRICS))]
    return kept
