"""One state, three views: whoever changes what steers, all see it; nothing kept decides."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Describe, Keep, Rename
from allotment.model import experiment, flag, layer, segment
from laws.views.begin import BEGIN
from laws.views.changes import CHANGES, Change
from laws.views.world import LABELS, VIEWS, World, bare, dealt_alike, differences, world

# What nouns are made of, but for what a condition is: that is the rules of a segment as a whole.
PARTS = (
    *(flag.Flag, flag.Variation, flag.FlagExperiment),
    *(segment.Segment, segment.Sample),
    *(layer.Layer, layer.Reservation, layer.Holdout),
    *(experiment.Experiment, experiment.Iteration, experiment.Treatment, experiment.Allocation),
)

# Which of several it is: another one is another noun. What is only said on the way in is no state.
NAMES = {"key", "number"}
ON_THE_WAY_IN = {"Reservation.share_ppm"}

CASES = [(change, api) for change in CHANGES for api in change.ways]


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in itertools.count())


def steering() -> set[str]:
    """Every field of the model but labels."""
    every = [(part.__name__, field.name) for part in PARTS for field in fields(part)]
    named = {f"{part}.{name}" for part, name in every if name not in LABELS | NAMES}
    return named - ON_THE_WAY_IN


def test_every_field_that_steers_is_changed_by_one_of_the_changes() -> None:
    assert all(is_dataclass(part) for part in PARTS)
    assert {field for change in CHANGES for field in change.fields} == steering()


def test_what_is_called_a_label_steers_nothing(folders: Iterator[Path]) -> None:
    with world(next(folders), *BEGIN) as here:
        before = here.fingerprint, here.assignments()
        catalog = here.catalog
        nouns = [("flag", key) for key in catalog.flags]
        nouns += [("experiment", key) for key in catalog.experiments]
        for kind, key in nouns:
            here.api.apply(
                Rename(kind, key, "Another name"),
                Describe(kind, key, "Another description"),
                Keep(kind, key, "elsewhere/note", "1"),
            )
        assert (here.fingerprint, here.assignments()) == before


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_api_shows_what_it_can_say_of_a_change(
    folders: Iterator[Path], change: Change
) -> None:
    with world(next(folders), *BEGIN) as here:
        before = {api: here.seen(api) for api in VIEWS}
        here.api.apply(*change.commands)
        shown = {api for api in VIEWS if here.seen(api) != before[api]}
        assert {"native", *change.ways, *change.shown_by} <= shown


@pytest.mark.parametrize(("change", "api"), CASES, ids=str)
def test_a_change_comes_to_the_same_through_each_api(
    folders: Iterator[Path], change: Change, api: str
) -> None:
    with world(next(folders), *BEGIN) as one, world(next(folders), *BEGIN) as other:
        one.api.apply(*change.commands)
        other.do(*change.ways[api])
        assert not [*differences(_state(one, change), _state(other, change))]
        if not change.afresh:
            assert one.fingerprint == other.fingerprint
            assert one.assignments() == other.assignments()
        # What was kept on the way decides nothing.
        given, fingerprint = other.assignments(), other.fingerprint
        other.forget()
        assert (other.assignments(), other.fingerprint) == (given, fingerprint)
        # Without it each API shows what it would, had the change been made anywhere else.
        for seen in VIEWS:
            assert not [*differences(one.seen(seen), other.seen(seen), seen)]


def _state(here: World, change: Change) -> Any:
    return bare(dealt_alike(here.catalog) if change.afresh else here.catalog)
