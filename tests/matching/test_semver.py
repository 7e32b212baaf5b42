"""Semantic versions: the ordering example of the public text, and what is not a version."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.matching.semver import precedence

# SemVer 2.0.0, section 11, with the edges of its rules between.
ASCENDING = [
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.9.9",
    "0.10.0",
    "1.0.0--",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.2",
    "1.0.0-alpha.10",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
    "10.0.0",
    f"{'9' * 5000}.0.0",
    f"1{'0' * 5000}.0.0",
]


def test_versions_stand_in_the_order_of_the_public_text() -> None:
    for lower, higher in pairwise(ASCENDING):
        below, above = precedence(lower), precedence(higher)
        assert below is not None, lower
        assert above is not None, higher
        assert below < above, (lower, higher)


def test_build_metadata_does_not_count() -> None:
    assert precedence("1.0.0+20130313144700") == precedence("1.0.0+21AF26D3---117B344092BD")
    assert precedence("1.0.0-beta+exp.sha.5114f85") == precedence("1.0.0-beta")
    assert precedence("1.0.0+a-b") == precedence("1.0.0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "v1.2.3",
        " 1.2.3",
        "1.2.3 ",
        "1.2.3\n",
        "01.2.3",
        "1.02.3",
        "1.2.03",
        "-1.2.3",
        "1.2.x",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3-01",
        "1.2.3-é",
        "1.2.3-a_b",
        "1.2.3+",
        "1.2.3+a..b",
        "1.2.3+a+b",
        "\uff11.2.3",
        "1.2.3-\ud800",
    ],
)
def test_what_is_not_strictly_a_version_is_none(text: str) -> None:
    assert precedence(text) is None


@given(st.text())
def test_any_text_is_a_version_or_not_and_never_an_error(text: str) -> None:
    found = precedence(text)
    assert found is None or text.isascii()


@given(*[st.tuples(*[st.integers(0, 10**30)] * 3)] * 2)
def test_release_versions_order_as_their_numbers(
    one: tuple[int, int, int], two: tuple[int, int, int]
) -> None:
    first, second = (precedence(".".join(map(str, numbers))) for numbers in (one, two))
    assert first is not None
    assert second is not None
    assert (first < second) == (one < two)
