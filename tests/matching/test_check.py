"""A malformed clause is refused with the path of the fault and a sentence that helps."""

from __future__ import annotations

import pytest

from allotment.errors import InvalidInput
from allotment.matching.check import check_segment, check_segments
from allotment.model.keyed import Keyed
from allotment.model.limits import CLAUSE_VALUES_MAX
from allotment.model.segment import AllOf, AnyOf, Clause, InSegment, Not, Operator, Scalar, Segment

NAN = float("nan")

MALFORMED: list[tuple[Operator, tuple[Scalar, ...], str, str]] = [
    (Operator.EXISTS, ("x",), "exists", "takes no values"),
    (Operator.IN, (), "in", "at least one value"),
    (Operator.MATCHES, (), "matches", "at least one value"),
    (Operator.IN, tuple(range(CLAUSE_VALUES_MAX + 1)), "in", "at most 10,000 values"),
    (Operator.IN, ("SE", NAN), "in[1]", "NaN"),
    (Operator.LESS, (float("inf"),), "less_than", "infinities"),
    (Operator.LESS, ("18",), "less_than", "compares numbers; this is the str '18'"),
    (Operator.AT_LEAST, (18, True), "at_least[1]", "this is the bool True"),
    (Operator.CONTAINS, (1,), "contains", "compares text; this is the int 1"),
    (Operator.STARTS_WITH, ("a", False), "starts_with[1]", "compares text"),
    (Operator.SEMVER_LESS, ("2.0",), "semver_less_than", "'2.0' is no semantic version"),
    (Operator.SEMVER_EQUALS, (2,), "semver_equals", "compares text"),
    (Operator.MATCHES, ("a", "("), "matches[1]", "missing )"),
    (Operator.MATCHES, (3,), "matches", "compares text"),
    (Operator.MATCHES, ("a" * 1_025,), "matches", "at most 1,024 characters; this has 1,025"),
    (Operator.CONTAINS, ("b", "a" * 1_025), "contains[1]", "at most 1,024 characters"),
]


@pytest.mark.parametrize(("operator", "values", "place", "said"), MALFORMED)
def test_a_malformed_clause_is_refused_where_it_stands(
    operator: Operator, values: tuple[Scalar, ...], place: str, said: str
) -> None:
    clause = Clause(("a",), operator, values)
    fine = Clause(("a",), Operator.EXISTS)
    segment = Segment("s", rules=(fine, AllOf((fine, AnyOf((Not(clause),))))))
    with pytest.raises(InvalidInput) as refusal:
        check_segments(Keyed([("s", segment)]))
    assert refusal.value.path == f"$.segments.s.rules[1].all[1].any[0].not.{place}"
    assert said in refusal.value.message


@pytest.mark.parametrize("attribute", [(), ("",), ("address", "")])
def test_a_path_has_keys_and_none_of_them_is_empty(attribute: tuple[str, ...]) -> None:
    segment = Segment("s", rules=(Clause(attribute, Operator.EXISTS),))
    with pytest.raises(InvalidInput, match="named by a path") as refusal:
        check_segment(segment)
    assert refusal.value.path == "$.segments.s.rules[0].attribute"


def test_well_formed_clauses_of_every_operator_pass() -> None:
    values: dict[Operator, tuple[Scalar, ...]] = {
        Operator.EXISTS: (),
        Operator.IN: ("SE", 1, 1.5, True, ""),
        Operator.MATCHES: ("^a+$", ""),
        **dict.fromkeys([Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH], ("x",)),
    }
    for operator in Operator:
        usual: Scalar = "1.0.0" if "semver" in operator else 1
        clause = Clause(("a", "b"), operator, values.get(operator, (usual,)))
        check_segment(Segment("s", rules=(AnyOf((clause, InSegment("other"))),)))
