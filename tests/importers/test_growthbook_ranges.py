"""GrowthBook's ranges in its own arithmetic, and the vectors that it publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.importers import growthbook
from allotment.importers.growthbook_ranges import (
    bucket_ranges,
    buckets_in,
    choose,
    in_range,
    profile_of,
    slots_of,
)
from allotment.model.profile import PROFILES
from allotment.reference.profile import bucket
from imported import catalog_of

# Beside the repository, or beside the folder of its worktrees.
_PLACES = [folder / "shared/vectors/growthbook.json" for folder in Path(__file__).parents[3:]]
SHARED = next((place for place in _PLACES if place.exists()), None)


def vectors(kind: str) -> list[dict[str, Any]]:
    """The published vectors of a kind, where they are beside the repository."""
    if SHARED is None:
        pytest.skip("the vectors of the platform are not part of this repository")
    return [each for each in json.loads(SHARED.read_text())["vectors"] if each["kind"] == kind]


def test_the_published_ranges() -> None:
    found = vectors("ranges_of")
    for each in found:
        ranges = [[round(edge, 6) for edge in span] for span in bucket_ranges(*each["args"])]
        assert ranges == [[round(edge, 6) for edge in span] for span in each["expected"]], each
    assert len(found) == 13


def test_the_published_choices() -> None:
    found = vectors("choose")
    assert [choose(each["value"], each["ranges"]) for each in found] == [
        each["expected"] for each in found
    ]
    assert len(found) == 13


def test_the_published_namespaces() -> None:
    found = vectors("in_range")
    profile = "growthbook-namespace-1"
    for each in found:
        drawn = bucket(PROFILES[profile], each["salt"], each["unit"])
        here = any(in_range(drawn / 1_000, span) for span in each["ranges"])
        assert here is each["expected"], each
        parts = [part for span in each["ranges"] for part in buckets_in(profile, span)]
        assert any(part.start <= drawn < part.stop for part in parts) is each["expected"]
    assert len(found) == 16


def test_the_published_runs() -> None:
    """Each as a feature with one rule, whose default says that the unit is not in it."""
    found = vectors("gb_run")
    for each in found:
        fields = {"weights", "coverage", "ranges", "namespace", "hashVersion", "filters"} & set(
            each
        )
        rule = {
            "key": each["salt"],
            "variations": list(range(each["variations"])),
            **{name: each[name] for name in fields},
        }
        imported = growthbook.read({"features": {"f": {"defaultValue": -1, "rules": [rule]}}})
        assert len(imported.flags) == 1, imported.notes
        engine = Engine(compile_catalog(catalog_of(imported)))
        assert engine.resolve("f", {"id": each["unit"]}).value == each["expected"], each
    assert len(found) == 48


@pytest.mark.parametrize("profile", ["growthbook-1", "growthbook-2", "growthbook-namespace-1"])
def test_buckets_are_those_whose_float_is_in_the_range(profile: str) -> None:
    count = PROFILES[profile].count(1)
    for span in bucket_ranges(7, 0.9, [0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1]):
        here = [number for number in range(count) if in_range(number / count, span)]
        ((start, stop),) = buckets_in(profile, span)
        assert here == list(range(start, stop))


def test_the_first_of_two_ranges_counts() -> None:
    slots = slots_of("growthbook-1", [(0.2, 0.4), (0.0, 1.0), (0.9, 2.0)], ["a", "b", "c"])
    assert slots == ((0, 200, "b"), (200, 400, "a"), (400, 1_000, "b"))


def test_weights_that_are_none_are_equal() -> None:
    equal = bucket_ranges(2, 1.0, None)
    assert bucket_ranges(2, 5.0, [0.2, 0.2]) == bucket_ranges(2, 1.0, [1.0]) == equal


def test_an_unknown_version_of_the_hash_has_no_profile() -> None:
    assert [profile_of(version) for version in (None, 1, 2, 3)] == [
        "growthbook-1", "growthbook-1", "growthbook-2", None,
    ]  # fmt: skip
