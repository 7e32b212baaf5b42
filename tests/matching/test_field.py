"""A path's clauses as bits, and the walk to a value."""

from __future__ import annotations

from collections import ChainMap, OrderedDict, UserDict
from typing import Any

import pytest

from allotment.matching.field import Field, lookup
from allotment.model.segment import Clause, Operator

SE = Clause(("country",), Operator.IN, ("SE",))
LONG = Clause(("country",), Operator.MATCHES, ("..",))
THERE = Clause(("country",), Operator.EXISTS)


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        ("SE", {0, 64, 130}),
        ("NO", {64, 130}),
        ("S", {130}),
        (["S", "SE"], {0, 64, 130}),
        ([], {130}),
        (None, set()),
    ],
)
def test_each_clause_that_holds_is_one_bit(value: object, bits: set[int]) -> None:
    field = Field(("country",), ((0, SE), (64, LONG), (130, THERE)), 3)
    assert field.decide(value) == sum(1 << bit for bit in bits).to_bytes(24, "little")


class Sly(dict[str, object]):
    def get(self, key: Any, default: Any = None) -> Any:
        return "never asked"

    def __getitem__(self, key: str) -> Any:
        return "never asked"


class Twisted:
    """A key that collides with "country" and refuses to be compared."""

    def __hash__(self) -> int:
        return hash("country")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare")


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"address": {"country": "SE"}}, "SE"),
        (OrderedDict(address=OrderedDict(country="SE")), "SE"),
        (Sly(address=Sly(country="SE")), "SE"),
        ({"address": {"country": False}}, False),
        ({"address": {"country": None}}, None),
        ({"address": {}}, None),
        ({"address": None}, None),
        ({"address": "country"}, None),
        ({"address": [{"country": "SE"}]}, None),
        ({"address": UserDict(country="SE")}, "SE"),
        ({"address": ChainMap({}, {"country": "SE"})}, "SE"),
        ({"address": {Twisted(): 1}}, None),
        ({"address.country": "SE"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_path_walks_dicts_and_a_gap_anywhere_is_absence(attributes: Any, found: object) -> None:
    assert lookup(attributes, ("address", "country")) == found
