"""Experiments: what a request says of one beside its iteration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command, Create
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.ids import ID_MAX, find_holdout
from allotment.dialects.launchdarkly.iterations import (
    UNIT,
    check_primary,
    first_of,
    note_path,
    read_iteration,
)
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_description, read_key, read_name
from allotment.dialects.launchdarkly.listings import list_in_flags
from allotment.dialects.launchdarkly.metrics import TEXT_MAX
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

# What the vendor's client can read of each; it also knows holdouts as a type, which are not made
# as experiments.
METHODOLOGIES: Final = ("bayesian", "frequentist", "export_only")
SOURCES: Final = ("launchdarkly", "snowflake")
TYPES: Final = ("experiment", "mab")

CORRECTIONS: Final = ("bonferroni", "benjamini-hochberg")
SCOPES: Final = ("variations", "variations-and-metrics", "metrics")

_BANDIT: Final = "mab"
_TAGS_MAX: Final = 100
_THRESHOLDS: Final = ("bayesianThreshold", "significanceThreshold", "testDirection")


def read_create_experiment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that create an experiment with a draft, and list it with its flags."""
    body = asked.body
    key = read_key(body.at("key"))
    if key in catalog.experiments:
        raise taken("experiment")
    name, description = read_name(body.at("name")), read_description(body.at("description"))
    kept = dict(_read_kept(body))
    check_primary(body.at("iteration"))
    drafted = read_iteration(body.at("iteration"), catalog, None, asked.given)
    experiment = Experiment(
        key,
        (first_of(drafted, asked.given),),
        name,
        description,
        unit=drafted.unit or UNIT,
        holdout=read_holdout(body.at("holdoutId"), catalog),
        kept=NOTES.on_new({**kept, note_path(1): drafted.note}),
    )
    return [Create(experiment), *list_in_flags(key, drafted.listed, None, catalog)]


def _read_kept(body: Place) -> Iterator[tuple[str, Tree]]:
    """What the model lacks. What is left out is what the vendor takes it for."""
    kind, source, way = (body.at(name) for name in ("type", "dataSource", "methodology"))
    read_kind = kind.word(TYPES) if kind.said else TYPES[0]
    usual = METHODOLOGIES[0] if read_kind == _BANDIT else METHODOLOGIES[1]
    yield "type", read_kind
    yield "dataSource", source.word(SOURCES) if source.said else SOURCES[0]
    yield "methodology", way.word(METHODOLOGIES) if way.said else usual
    for name, read in KEPT_READERS.items():
        if body.at(name).said:
            yield name, read(body.at(name))


def read_maintainer(place: Place) -> Tree:
    """The id of a member, of whom nothing is known here."""
    return place.text(1, TEXT_MAX)


def read_tags(place: Place) -> Tree:
    """Tags, each once."""
    return [*dict.fromkeys(item.text(1, TEXT_MAX) for item in place.items(0, _TAGS_MAX))]


def read_methodology(place: Place) -> Tree:
    """How results are analysed, which is done elsewhere."""
    return place.word(METHODOLOGIES)


def read_analysis(place: Place) -> Tree:
    """The settings of an analysis that is done elsewhere."""
    found: dict[str, Tree] = {
        name: place.at(name).text(0, TEXT_MAX) for name in _THRESHOLDS if place.at(name).said
    }
    for name, words in (
        ("multipleComparisonCorrectionMethod", CORRECTIONS),
        ("multipleComparisonCorrectionScope", SCOPES),
    ):
        if place.at(name).said:
            found[name] = place.at(name).word(words)
    if place.at("sequentialTestingEnabled").said:
        found["sequentialTestingEnabled"] = place.at("sequentialTestingEnabled").truth()
    return found


KEPT_READERS: Final = {
    "maintainerId": read_maintainer,
    "tags": read_tags,
    "analysisConfig": read_analysis,
}


def read_holdout(place: Place, catalog: Catalog) -> str | None:
    """The key of the holdout that an id names; None for none."""
    if not place.said or place.value == "":
        return None
    holdout = find_holdout(catalog, place.text(1, ID_MAX))
    if holdout is None:
        raise invalid("there is no holdout with this id", place.path)
    return holdout.key
