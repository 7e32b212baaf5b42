"""Ids are a pure function of keys: the same everywhere, for good."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from allotment.model.catalog import identity

# Clients keep these ids: whatever changes them breaks every link, script and bookmark.
PINNED = [
    (("flag", "button"), "00ecac1ef047a1f28a2796ad"),
    (("variation", "button", "green"), "cdb7616937f6d8b55caf985d"),
    (("iteration", "checkout", "1"), "e833d3aa48f8f1d75b638ce0"),
]


@pytest.mark.parametrize(("parts", "pinned"), PINNED)
def test_an_identity_stays_what_it_is(parts: tuple[str, ...], pinned: str) -> None:
    assert identity(*parts) == pinned


def test_an_identity_is_the_same_in_another_process() -> None:
    code = "from allotment.model.catalog import identity; print(identity('flag', 'button'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == PINNED[0][1]


def test_an_identity_is_96_bits() -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", identity("segment", "s"))


def test_no_two_lists_of_parts_are_one() -> None:
    parts = [
        ("flag", "ab"),
        ("segment", "ab"),
        ("flaga", "b"),
        ("flag", "a", "b"),
        ("flag", "a", "b", ""),
        ("flag", "", "ab"),
        ("flag", "ab", ""),
        ("treatment", "a", "1", "2"),
        ("treatment", "a", "12", ""),
        ("flag", "ä"),
        ("flag", "a\u0308"),
    ]
    assert len({identity(*each) for each in parts}) == len(parts)
