from __future__ import annotations

import json
from pathlib import Path

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.digest import bucket, digest, draw

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "native.json").read_text("utf-8"))


def numbers(pair: list[str]) -> tuple[int, int]:
    return int(pair[0], 16), int(pair[1], 16)


@pytest.mark.parametrize("seed", [0, 1])
def test_texts_have_their_digests(seed: int) -> None:
    key = ("unit_digest", "salt_digest")[seed]
    for vector in VECTORS["digests"]:
        assert digest(vector["text"].encode(), seed) == numbers(vector[key]), vector


def test_units_have_their_draws_and_buckets() -> None:
    for vector in VECTORS["vectors"]:
        made = draw(vector["salt"], vector["unit"])
        assert made == int(vector["draw"], 16), vector
        assert bucket(made) == vector["bucket"], vector


def test_buckets_begin_and_end_where_the_vectors_say() -> None:
    for vector in VECTORS["bucket_edges"]:
        assert bucket(int(vector["draw"], 16)) == vector["bucket"], vector


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_a_digest_is_that_of_the_other_murmur3(text: bytes, seed: int) -> None:
    assert digest(text, seed) == mmh3.hash64(text, seed, x64arch=True, signed=False)


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1))
def test_a_bucket_is_the_floor_of_the_exact_product(made: int, buckets: int) -> None:
    assert bucket(made, buckets) == made * buckets >> 64


def test_a_lone_surrogate_has_no_draw() -> None:
    with pytest.raises(InvalidInput, match="surrogate"):
        draw("salt", "\ud800")
