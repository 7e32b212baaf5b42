"""The twin's digests, draws and buckets are those of the published vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.reference.draw import SALT_SEED, UNIT_SEED, bucket, digest, draw
from allotment.reference.murmur3 import MASK, fmix64, murmur3_x64_128


@pytest.fixture(scope="module")
def native() -> Any:
    return json.loads((Path(__file__).parents[1] / "vectors" / "native.json").read_text("utf-8"))


def _pair(halves: list[str]) -> tuple[int, int]:
    return int(halves[0], 16), int(halves[1], 16)


def test_digests_are_those_of_the_vectors(native: Any) -> None:
    for each in native["digests"]:
        assert digest(each["text"], UNIT_SEED) == _pair(each["unit_digest"])
        assert digest(each["text"], SALT_SEED) == _pair(each["salt_digest"])


def test_draws_and_buckets_are_those_of_the_vectors(native: Any) -> None:
    for each in native["vectors"]:
        drawn = draw(each["salt"], each["unit"])
        assert (drawn, bucket(drawn)) == (int(each["draw"], 16), each["bucket"])


def test_raw_mixes_and_bucket_edges_are_those_of_the_vectors(native: Any) -> None:
    for each in native["mixes"]:
        (u1, u2), (s1, s2) = _pair(each["unit_digest"]), _pair(each["salt_digest"])
        assert fmix64((u1 ^ s1) + (u2 ^ s2) & MASK) == int(each["draw"], 16)
    for each in native["bucket_edges"]:
        assert bucket(int(each["draw"], 16)) == each["bucket"]


@given(st.binary(max_size=70), st.integers(0, 2**32 - 1))
def test_murmur3_agrees_with_another_implementation(data: bytes, seed: int) -> None:
    assert murmur3_x64_128(data, seed) == mmh3.hash64(data, seed, x64arch=True, signed=False)
