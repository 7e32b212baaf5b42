"""Recipes: the kernel's draws by other platforms' profiles are the twin's, in every form."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.compile.recipe import recipe
from allotment.errors import InvalidInput
from allotment.kernel.recipe import Recipe
from allotment.model.hashing import Hash
from allotment.model.profile import PROFILES, Profile
from allotment.reference.profile import bucket

FOREIGN = [profile for profile in PROFILES.values() if profile.hash is not Hash.NATIVE]
# Of each way in which a block of keys is hashed.
BY_COLUMN = [
    "optimizely-1",
    "unleash-variant-1",
    "flagd-1",
    "flagd-3",
    "goff-1",
    "growthbook-1",
    "growthbook-2",
    "launchdarkly-1",
]
KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=90)
GOOD = {
    "hash": 1,
    "encoding": 0,
    "slice": 0,
    "bucketing": 1,
    "shift": 0,
    "bits": 32,
    "seed": 0,
    "buckets": 100,
    "before": b"salt:",
    "after": b"",
}


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Profile, str, int]:
    """A profile, a salt that it takes, and how many buckets there are."""
    profile = draw(st.sampled_from(FOREIGN))
    salt = draw(st.integers(-(2**31), 2**32 - 1).map(str) if profile.seed is None else KEYS)
    return profile, salt, profile.buckets or draw(st.integers(1, 2**31 - 1))


@given(drawn(), st.lists(KEYS, min_size=1, max_size=5))
def test_calls_lists_and_arrow_give_what_the_twin_gives(
    by: tuple[Profile, str, int], units: list[str]
) -> None:
    profile, salt, count = by
    expected = [bucket(profile, salt, unit, count) for unit in units]
    made = recipe(profile, salt, count)
    assert [made.bucket(unit) for unit in units] == expected
    assert made.buckets(units).tolist() == expected
    assert made.buckets(pa.array(units, pa.string_view())).tolist() == expected


@pytest.mark.parametrize("profile", FOREIGN, ids=lambda each: each.name)
def test_what_is_no_unit_has_no_bucket_and_a_number_is_its_text(profile: Profile) -> None:
    made = recipe(profile, "7", profile.buckets or 1_000)
    units = ["7", None, "", "u" * 1_025, "7"]
    texts = made.buckets(units)
    assert texts.dtype == np.int64
    assert texts[1:4].tolist() == [-1, -1, -1]
    assert texts[0] == texts[4] == made.bucket(7) == made.bucket("7")
    assert made.buckets(np.array([7, -3])).tolist() == [made.bucket(7), made.bucket("-3")]
    assert made.buckets(pa.chunked_array([["7"], [], [None, "7"]])).tolist() == [
        texts[0],
        -1,
        texts[0],
    ]
    for wrong in ("", None, 1.5, "u" * 1_025, "x\ud800"):
        with pytest.raises(InvalidInput, match="a unit is text or a whole number"):
            made.bucket(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"hash": 0},
        {"hash": 9},
        {"encoding": 5},
        {"encoding": 1},
        {"slice": 9},
        {"bucketing": 4},
        {"bucketing": 3},
        {"buckets": 0},
        {"bits": 0},
        {"bits": 65},
        {"bits": 8, "bucketing": 0, "buckets": 257},
        {"seed": 2**32},
        {"hash": -1},
        {"hash": "1"},
        {"before": b"x" * 4_201},
    ],
)
def test_a_malformed_recipe_is_refused(fields: dict[str, object]) -> None:
    Recipe(**GOOD)
    with pytest.raises(InvalidInput):
        Recipe(**{**GOOD, **fields})


def test_a_seed_is_a_decimal_number_of_32_bits() -> None:
    for salt in ("", "x", "1.0", "01", " 1", "4294967296", "-2147483649", "\uff11"):
        with pytest.raises(InvalidInput, match="a whole number of 32 bits"):
            recipe(PROFILES["split-2"], salt, 100)


@pytest.mark.parametrize("salt", ["", "abc", "four", "s" * 79, "é" * 60])
@pytest.mark.parametrize("name", BY_COLUMN)
def test_a_column_of_keys_of_every_length_draws_as_one_key_does(name: str, salt: str) -> None:
    made = recipe(PROFILES[name], salt, PROFILES[name].buckets or 97)
    units = [("u" * n)[: n - 2] + ("é" if n % 3 else "uu") for n in range(200)]
    single = [made.bucket(unit) if unit else -1 for unit in units]
    assert made.buckets(pa.array(units)).tolist() == single
    assert made.buckets(units[::-1]).tolist() == single[::-1]
