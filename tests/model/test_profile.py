"""Profiles as data: bounds and edges are those of the platform's own comparisons."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects import catalogfile
from allotment.errors import InvalidInput
from allotment.model.hashing import Hash
from allotment.model.profile import NATIVE, PROFILES, Profile

OF_FLOATS = [profile for profile in PROFILES.values() if profile.divisor is not None]


def is_below(profile: Profile, bucket: int, bound: float, factor: float) -> bool:
    """The comparison, as the platform writes it."""
    assert profile.divisor is not None
    value = bucket / profile.divisor * factor
    return value <= bound if profile.closed else value < bound


@given(st.sampled_from(OF_FLOATS), st.floats(0, 1), st.data())
def test_an_edge_is_where_the_comparison_of_floats_changes(
    profile: Profile, part: float, data: st.DataObject
) -> None:
    factor = profile.factor or 7.0
    edge = profile.edge(part * factor, factor)
    last = profile.count(1) - 1
    near = [edge - 1, edge, edge + 1, data.draw(st.integers(0, last))]
    for bucket in near:
        if 0 <= bucket <= last:
            assert is_below(profile, bucket, part * factor, factor) == (bucket < edge)


@given(
    st.sampled_from(OF_FLOATS), st.lists(st.integers(0, 100_000), min_size=1, max_size=6), st.data()
)
def test_edges_are_running_sums_of_floats(
    profile: Profile, weights: list[int], data: st.DataObject
) -> None:
    total = max(1, sum(weights) + data.draw(st.sampled_from((0, 1, 12_345))))
    edges = profile.edges(weights, total)
    assert edges is not None
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= profile.count(total)
    if profile.filled and sum(weights) == total:
        assert edges[-1] == profile.count(total)


def test_thirds_are_added_up_as_launchdarkly_adds_them() -> None:
    edges = PROFILES["launchdarkly-1"].edges([33_333, 33_333, 33_334], 100_000)
    assert edges is not None
    assert [edge / 2**60 for edge in edges[:2]] == [0.33333, 0.66666]
    assert edges[2] == 2**60


def test_a_share_is_a_whole_number_of_buckets_or_refused() -> None:
    rollout = PROFILES["unleash-rollout-1"]
    assert [rollout.bound(ppm) for ppm in (0, 10_000, 500_000, 1_000_000)] == [0, 1, 50, 100]
    with pytest.raises(InvalidInput, match=r"100 buckets, and 12\.5% is no whole number"):
        rollout.bound(125_000)
    with pytest.raises(InvalidInput, match="by weights; it has no shares"):
        PROFILES["flagd-2"].bound(10_000)
    assert PROFILES[NATIVE].bound(123_456) == 123_456
    assert PROFILES["posthog-rollout-1"].bound(450_000) == PROFILES["posthog-rollout-1"].edge(
        0.45, 1.0
    )


def test_a_name_has_a_version_and_stands_once() -> None:
    assert all(name.rsplit("-", 1)[1].isdigit() for name in PROFILES)
    assert [each.name for each in PROFILES.values()] == list(PROFILES)
    assert [each.name for each in PROFILES.values() if each.hash is Hash.NATIVE] == [NATIVE]


def test_the_schema_of_catalogs_names_them_all() -> None:
    text = catalogfile.__path__[0] + "/catalog.schema.json"
    with open(text, encoding="utf-8") as file:
        assert json.load(file)["$defs"]["profile"]["enum"] == list(PROFILES)


def test_the_page_of_profiles_names_them_all() -> None:
    page = Path(__file__).parents[2] / "docs" / "profiles.md"
    named = re.findall(r"^\| `([a-z0-9-]+)` \|", page.read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(PROFILES)
