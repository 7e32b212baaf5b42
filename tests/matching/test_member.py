"""Include, exclude, rules; lists that hold exactly their lines."""

from __future__ import annotations

import pytest

from allotment.matching.member import Members, is_listed
from allotment.model.segment import AllOf, AnyOf, Clause, IdList, InSegment, Not, Operator, Segment

NORDIC = Clause(("country",), Operator.IN, ("SE", "NO"))
SEGMENTS = {
    "nordic": Segment(
        "nordic",
        include=IdList.of(["vip", "both"]),
        exclude=IdList.of(["spy", "both"]),
        rules=(NORDIC,),
    ),
    "others": Segment("others", rules=(Not(InSegment("nordic")),)),
    "all": Segment("all", rules=(AllOf(()),)),
    "none": Segment("none", rules=(AnyOf(()),)),
}


@pytest.mark.parametrize(
    ("unit", "attributes", "is_member"),
    [
        ("ann", {"country": "SE"}, True),
        ("ann", {"country": "FI"}, False),
        ("ann", {"country": None}, False),
        ("ann", None, False),
        ("vip", None, True),
        ("spy", {"country": "SE"}, False),
        ("both", None, True),
    ],
)
def test_include_wins_over_exclude_and_exclude_over_rules(
    unit: str, attributes: dict[str, object] | None, is_member: bool
) -> None:
    members = Members(SEGMENTS, unit, attributes)
    assert members.has("nordic") is is_member
    assert members.has("others") is not is_member


def test_all_of_nothing_holds_and_any_of_nothing_does_not() -> None:
    members = Members(SEGMENTS, "ann", None)
    assert (members.has("all"), members.has("none")) == (True, False)


@pytest.mark.parametrize("unit", ["a", "c", "bc", "b\nc", "\n", "b\n", "B", "é"])
def test_a_list_holds_its_lines_and_nothing_that_looks_like_them(unit: str) -> None:
    ids = IdList.of(["b", "c c", "cé", "d"])
    assert not is_listed(unit, ids)
    assert not is_listed(unit, IdList())
    assert all(is_listed(each, ids) for each in ids)
