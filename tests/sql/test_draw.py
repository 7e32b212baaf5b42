"""A draw is compared with the first one of a bucket: what is on both sides of that edge."""

from __future__ import annotations

from random import Random

import pytest
from sqlglot import exp

from allotment import InvalidInput
from allotment.model.hashing import Bucketing, Hash
from allotment.model.profile import PROFILES, Draw, Profile
from allotment.sql import DIALECTS
from allotment.sql.draw import StageDraw, can_draw

SCALED = [
    each
    for each in PROFILES.values()
    if each.bucketing is Bucketing.SCALE and can_draw(each, DIALECTS["clickhouse"])
]


def edge(stage: StageDraw, bucket: int) -> str | int:
    """The constant that a draw of a lower bucket is below."""
    found = stage.below(bucket)
    assert isinstance(found, exp.LT)
    value: str = found.expression.this
    return value if found.expression.is_string else int(value)


@pytest.mark.parametrize("profile", SCALED, ids=[each.name for each in SCALED])
def test_the_constant_is_the_first_draw_of_its_bucket(profile: Profile) -> None:
    count = profile.count(1_000)
    stage = StageDraw("treatment", Draw(profile.name, "salt"), count)
    rng = Random(profile.name)
    before = None
    for bucket in sorted({1, 2, count - 1, *(rng.randrange(1, count) for _ in range(500))}):
        constant = edge(stage, bucket)
        first = int(constant, 16) if isinstance(constant, str) else constant
        assert first * count >> profile.bits == bucket
        assert (first - 1) * count >> profile.bits == bucket - 1
        assert before is None or before < constant, "texts order as the numbers do"
        before = constant


def test_no_bucket_is_below_the_first_and_all_are_below_the_end() -> None:
    stage = StageDraw("layer", Draw("md5-1", "salt"), 1_000_000)
    assert [stage.below(bucket) for bucket in (0, 1_000_000)] == [exp.false(), exp.true()]


def test_more_buckets_than_a_product_of_64_bits_has_room_for_are_refused() -> None:
    wide = StageDraw("treatment", Draw("planout-integer-1", "salt"), 2**31)
    with pytest.raises(InvalidInput, match="cannot compute the treatment draw"):
        wide.value(exp.column("unit"), DIALECTS["duckdb"])
    fits = StageDraw("treatment", Draw("planout-integer-1", "salt"), 2**31 - 1)
    assert "% 2147483647" in fits.value(exp.column("unit"), DIALECTS["duckdb"]).sql("duckdb")


def test_every_engine_draws_by_md5_and_only_clickhouse_natively() -> None:
    for dialect in DIALECTS.values():
        assert can_draw(PROFILES["md5-1"], dialect)
        assert can_draw(PROFILES["allotment-1"], dialect) == (dialect.name == "clickhouse")
        assert not any(
            can_draw(each, dialect)
            for each in PROFILES.values()
            if each.hash in (Hash.FNV1A, Hash.FNV1A_TWICE, Hash.JAVA31)
        )
