"""The program says what the rules say, in little room."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.matching.field import lookup
from allotment.matching.member import Members
from allotment.matching.program import Op, Program, closure, compile_program
from allotment.model.limits import CONDITION_DEPTH_MAX
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
from timing import cpu_seconds

STACK_MAX = 64

Attributes = Mapping[str, object]


def run(program: Program, unit: str, attributes: Attributes) -> bool:
    """The kernel's machine in a few lines, with its limit on the stack."""
    bits = 0
    for field in program.fields:
        value = lookup(attributes, field.path)
        if value is not None:
            bits |= int.from_bytes(field.decide(value), "little")
    stack: list[bool] = []
    registers: dict[int, bool] = {}
    for (word,) in struct.iter_unpack("<I", program.code):
        op, operand = Op(word >> 24), word & 0xFFFFFF
        match op:
            case Op.CLAUSE:
                stack.append(bool(bits >> operand & 1))
            case Op.LIST:
                stack.append(unit in set(program.lists[operand]))
            case Op.AND | Op.OR:
                place = len(stack) - operand
                assert place >= 0
                stack[place:] = [(all if op is Op.AND else any)(stack[place:])]
            case Op.NOT:
                stack[-1] = not stack[-1]
            case Op.STORE:
                registers[operand] = stack.pop()
            case Op.LOAD:
                stack.append(registers[operand])
        assert len(stack) <= STACK_MAX
    (result,) = stack
    assert len(registers) == program.registers
    return result


def countries(*keys: str) -> Clause:
    return Clause(("country",), Operator.IN, keys)


UNITS = ["ann", "bo", "cy"]
CLAUSES = st.sampled_from(
    [
        countries("SE"),
        countries("NO", "DK"),
        Clause(("app", "version"), Operator.SEMVER_AT_LEAST, ("2.0.0",)),
        Clause(("age",), Operator.LESS, (18,)),
        Clause(("age",), Operator.IN, (1,)),
        Clause(("age",), Operator.IN, (True,)),
        Clause(("age",), Operator.EXISTS),
    ]
)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["SE", "NO", "FI", ["FI", "DK"], None, 1]),
        "age": st.sampled_from([1, True, 1.0, 17, 40, float("nan")]),
        "app": st.sampled_from([{"version": "2.1.0"}, {"version": "2"}, {}, "2.1.0"]),
    },
)
ID_LISTS = st.lists(st.sampled_from(UNITS), max_size=2).map(IdList.of)


def conditions(names: list[str]) -> st.SearchStrategy[Condition]:
    leaves: st.SearchStrategy[Condition] = CLAUSES
    if names:
        leaves = st.one_of(leaves, st.sampled_from(names).map(InSegment))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, max_size=4).map(lambda some: AllOf(tuple(some))),
            st.lists(inner, max_size=4).map(lambda some: AnyOf(tuple(some))),
        ),
        max_leaves=12,
    )


@st.composite
def segment_sets(draw: st.DrawFn) -> dict[str, Segment]:
    """A few segments, of which each may refer to those before it."""
    segments: dict[str, Segment] = {}
    for index in range(draw(st.integers(1, 5))):
        rules = draw(st.lists(conditions(list(segments)), max_size=4))
        segments[f"s{index}"] = Segment(
            f"s{index}",
            include=draw(ID_LISTS),
            exclude=draw(ID_LISTS),
            rules=tuple(rules),
        )
    return segments


@given(segment_sets(), ATTRIBUTES, st.sampled_from(UNITS))
def test_a_program_decides_as_the_rules_read(
    segments: dict[str, Segment], attributes: Attributes, unit: str
) -> None:
    for key, segment in segments.items():
        expected = Members(segments, unit, attributes).has(key)
        assert run(compile_program(segment, segments), unit, attributes) is expected


def test_one_clause_is_one_instruction() -> None:
    program = compile_program(Segment("s", rules=(countries("SE"),)), {})
    assert program.code == struct.pack("<I", Op.CLAUSE << 24)
    assert (program.words, program.registers, program.lists) == (1, 0, ())


def test_a_segment_of_nothing_has_no_members_and_no_words() -> None:
    program = compile_program(Segment("s"), {})
    assert not run(program, "ann", {})
    assert (program.words, program.fields) == (0, ())


def test_equal_clauses_share_a_bit_and_paths_share_a_field() -> None:
    inner = Segment("inner", rules=(countries("SE"), countries("NO")))
    age = Clause(("age",), Operator.EXISTS)
    outer = Segment("outer", rules=(AllOf((countries("SE"), age, InSegment("inner"))),))
    program = compile_program(outer, {"inner": inner, "outer": outer})
    assert [(field.path, len(field.clauses)) for field in program.fields] == [
        (("country",), 2),
        (("age",), 1),
    ]


def test_equal_lists_are_kept_once() -> None:
    ids = IdList.of(UNITS)
    inner = Segment("inner", include=ids)
    outer = Segment("outer", rules=(InSegment("inner"),), exclude=IdList.of(UNITS))
    assert compile_program(outer, {"inner": inner}).lists == (ids,)


def test_a_diamond_of_depth_64_is_small() -> None:
    segments = {"s0": Segment("s0", rules=(countries("SE"),))}
    for level in range(1, 65):
        below = InSegment(f"s{level - 1}")
        segments[f"s{level}"] = Segment(f"s{level}", rules=(AllOf((below, below)), below))
    assert cpu_seconds(lambda: compile_program(segments["s64"], segments)) < 0.1
    program = compile_program(segments["s64"], segments)
    assert program.registers == 64
    assert len(program.code) // 4 < 64 * 10
    assert run(program, "ann", {"country": "SE"})
    assert not run(program, "ann", {"country": "NO"})


def test_a_chain_of_two_thousand_segments_compiles() -> None:
    segments = {"s0": Segment("s0", rules=(countries("SE"),))}
    for level in range(1, 2001):
        segments[f"s{level}"] = Segment(f"s{level}", rules=(Not(InSegment(f"s{level - 1}")),))
    assert run(compile_program(segments["s2000"], segments), "ann", {"country": "SE"})


@pytest.mark.parametrize("width", [1, 2, 30, 100])
def test_the_deepest_legal_conditions_stay_within_the_stack(width: int) -> None:
    """The deepest branch comes last at every level, when its elder siblings are all waiting."""
    condition: Condition = countries("SE")
    for level in range(CONDITION_DEPTH_MAX):
        others = tuple(countries(f"c{level}-{index}") for index in range(width))
        condition = (
            AnyOf((*others, condition)) if level % 2 else AllOf((*map(Not, others), condition))
        )
    nested = Segment("nested", include=IdList.of(["ann"]), rules=(condition,))
    segment = Segment(
        "s", exclude=IdList.of(["bo"]), rules=(AllOf((InSegment("nested"), condition)),)
    )
    program = compile_program(segment, {"nested": nested})
    assert run(program, "cy", {"country": "SE"})
    assert not run(program, "bo", {"country": "SE"})


def test_a_thousand_rules_stay_within_the_stack() -> None:
    segment = Segment("s", rules=tuple(countries(f"c{index}") for index in range(1000)))
    program = compile_program(segment, {})
    assert program.words == 16
    assert run(program, "ann", {"country": "c999"})
    assert not run(program, "ann", {"country": "c1000"})


def test_a_closure_puts_what_is_referred_to_first_and_each_once() -> None:
    leaf = Segment("leaf")
    left = Segment("left", rules=(Not(InSegment("leaf")),))
    right = Segment("right", rules=(AnyOf((AllOf((InSegment("leaf"),)),)),))
    top = Segment("top", rules=(InSegment("right"), InSegment("left")))
    segments = {each.key: each for each in (top, right, left, leaf)}
    assert closure(top, segments) == [leaf, right, left, top]


def test_a_circle_is_refused_with_its_members() -> None:
    segments = {
        "a": Segment("a", rules=(InSegment("b"),)),
        "b": Segment("b", rules=(AllOf((InSegment("c"),)),)),
        "c": Segment("c", rules=(Not(InSegment("b")),)),
    }
    with pytest.raises(InvalidInput, match=r"b -> c -> b.*\$\.segments\.c"):
        compile_program(segments["a"], segments)


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no segment 'gone'.*\$\.segments\.a"):
        compile_program(Segment("a", rules=(InSegment("gone"),)), {})
