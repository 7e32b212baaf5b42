"""Explaining names the condition that fails, not only the segment."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

import allotment
import nouns
from allotment.matching.member import Members
from allotment.matching.why import why_not
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
    Segment,
)
from laws.catalogs import VALUES, Maker

ADULT = Clause(("age",), Operator.AT_LEAST, (18,))
SWEDE = Clause(("home", "country"), Operator.IN, ("SE", "NO"))
NAMED = Clause(("name",), Operator.EXISTS)


@pytest.mark.parametrize(
    ("rule", "attributes", "said"),
    [
        (ADULT, {}, "age at_least 18: it is absent"),
        (ADULT, {"age": 17}, "age at_least 18: it is 17"),
        (ADULT, {"age": "17"}, "age at_least 18: it is text, and this compares a number"),
        (ADULT, {"age": True}, "age at_least 18: it is a truth value, and this compares a number"),
        (ADULT, {"age": timedelta(1)}, "it is a timedelta, in which nothing can be compared"),
        (ADULT, {"age": [16, 17]}, "age at_least 18: it is 16, 17"),
        (ADULT, {"age": []}, "it is a list, in which nothing can be compared"),
        (SWEDE, {"home": {"country": "DK"}}, "home.country in 'SE', 'NO': it is 'DK'"),
        (AllOf((ADULT, SWEDE)), {"age": 20}, "home.country in 'SE', 'NO': it is absent"),
        (AnyOf((ADULT, NAMED)), {}, "age at_least 18: it is absent; name exists: it is absent"),
        (Not(ADULT), {"age": 20}, "age at_least 18 holds, which a `not` refuses"),
        (InSegment("listed"), {}, "segment listed: segment listed does not list the unit"),
    ],
)  # fmt: skip
def test_the_condition_that_fails_is_named(
    rule: Condition, attributes: dict[str, Any], said: str
) -> None:
    everyone = allotment.load(
        nouns.catalog(
            Segment("listed", include=IdList.of(["user-2"])),
            Segment("asked", rules=(rule,)),
            nouns.experiment("checkout", nouns.iteration(audience="asked")),
        )
    )
    found = everyone.explain("checkout", "user-1", attributes)
    decided = next(check for check in found.checks if check.decided)
    assert (decided.name, decided.bound) == ("audience", "segment asked")
    assert decided.outcome.startswith("NOT_IN_AUDIENCE: ")
    assert decided.outcome.endswith(said)


def test_every_unit_that_is_no_member_is_told_why(seed: int) -> None:
    told = 0
    for number in range(60):
        rng = Random(f"{seed}/{number}")
        segments = Maker(rng).catalog().segments
        for key in segments:
            known = {name: rng.choice(some) for name, some in VALUES.items()}
            if not Members(segments, "user-1", known).has(key):
                assert why_not(key, segments, "user-1", known)
                told += 1
    assert told > 50
