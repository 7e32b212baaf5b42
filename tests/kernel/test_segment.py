from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.idset import IdSet
from allotment.kernel.segment import Field, Segment
from kernel.making import AND, CLAUSE, LIST, LOAD, NOT, OR, STORE, one_of, program, segment_in

trees = st.recursive(
    st.integers(0, 69),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, max_size=4)),
    ),
    max_leaves=12,
)


def compiled(tree: Any) -> list[tuple[int, int]]:
    if isinstance(tree, int):
        return [(CLAUSE, tree)]
    kind, inner = tree
    if kind == "not":
        return [*compiled(inner), (NOT, 0)]
    parts = [instruction for part in inner for instruction in compiled(part)]
    return [*parts, (AND if kind == "and" else OR, len(inner))]


def truth(tree: Any, bits: int) -> bool:
    if isinstance(tree, int):
        return bool(bits >> tree & 1)
    kind, inner = tree
    if kind == "not":
        return not truth(inner, bits)
    return (all if kind == "and" else any)(truth(part, bits) for part in inner)


@given(trees, st.integers(0, 2**70 - 1))
def test_a_program_computes_its_formula(tree: Any, bits: int) -> None:
    field = (("x",), lambda _: bits.to_bytes(16, "little"))
    assert Segment(program(*compiled(tree)), [field], [], 2, 0).matches("u", {"x": 1}) == truth(
        tree, bits
    )


def test_the_bits_of_several_fields_come_together() -> None:
    fields = [(("a",), one_of(1, bit=0)), (("b", "c"), one_of("x", bit=1))]
    made = Segment(program((CLAUSE, 0), (CLAUSE, 1), (AND, 2)), fields, [], 1, 0)
    assert made.matches("u", {"a": 1, "b": {"c": "x"}})
    assert not made.matches("u", {"a": 1, "b": {"c": "y"}})
    assert not made.matches("u", {"a": 1, "b": "x"})
    assert not made.matches("u", None)


def test_lists_and_registers_take_part() -> None:
    included, excluded = IdSet(["in"]), IdSet(["out", "in"])
    rules = [(CLAUSE, 0), (STORE, 0), (LOAD, 0), (LOAD, 0), (AND, 2)]
    made = Segment(
        program((LIST, 0), (LIST, 1), (NOT, 0), *rules, (AND, 2), (OR, 2)),
        [(("x",), one_of(1))],
        [included, excluded],
        1,
        1,
    )
    assert made.matches("in", None)
    assert not made.matches("out", {"x": 1})
    assert made.matches("another", {"x": 1})
    assert not made.matches("another", {"x": 2})


def test_more_words_than_the_stack_holds_are_no_matter() -> None:
    fields = [(("a",), one_of(1, bit=9000, words=150)), (("b",), one_of(1, bit=3, words=150))]
    made = Segment(program((CLAUSE, 9000), (CLAUSE, 3), (AND, 2)), fields, [], 150, 0)
    assert made.matches("u", {"a": 1, "b": 1})
    assert not made.matches("u", {"a": 1})


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\0\0\0",
        program((AND, 1)),
        program((AND, 0), (AND, 0)),
        program((CLAUSE, 64)),
        program((LIST, 0)),
        program((LOAD, 0)),
        program((AND, 0), (AND, 0), (STORE, 1)),
        program((AND, 0), (STORE, 0)),
        program((8, 0)),
        program(*[(AND, 0)] * 65, (AND, 65)),
    ],
)
def test_a_malformed_program_is_refused(code: bytes) -> None:
    with pytest.raises(InvalidInput):
        Segment(code, [], [], 1, 1)


@pytest.mark.parametrize(
    ("fields", "lists", "words"),
    [
        ([((), one_of(1))], [], 1),
        ([((1,), one_of(1))], [], 1),
        ([(("a",), None)], [], 1),
        ([("a",)], [], 1),
        ([], [["in"]], 1),
        ([], [], -1),
        ([], [], 2**20),
    ],
)
def test_malformed_parts_are_refused(fields: Any, lists: Any, words: int) -> None:
    with pytest.raises(InvalidInput):
        Segment(program((AND, 0)), fields, lists, words, 0)


class Counted:
    """A decision that counts how often it is asked."""

    def __init__(self, decide: Callable[[object], bytes]) -> None:
        self.decide = decide
        self.asked: list[object] = []

    def __call__(self, value: object) -> bytes:
        self.asked.append(value)
        return self.decide(value)


def test_a_value_is_decided_once() -> None:
    decide = Counted(one_of("SE", 1, 1.0, True))
    made = Segment(program((CLAUSE, 0)), [(("x",), decide)], [], 1, 0)
    for _ in range(3):
        for value in ("SE", "NO", 1, 1.0, 2, True, False, 2.5):
            assert made.matches("u", {"x": value}) == (value in ("SE", 1))
    assert decide.asked == ["SE", "NO", 1, 1.0, 2, True, False, 2.5]
    assert [type(value) for value in decide.asked[2:6]] == [int, float, int, bool]


def test_the_memo_is_bounded_and_right_when_it_overflows() -> None:
    decide = Counted(one_of(*map(str, range(0, 10_000, 2))))
    field = Field(("x",), decide, 1)
    for _ in range(2):
        for i in range(10_000):
            assert field.bits(str(i)) == (i % 2 == 0).to_bytes(8, "little")
    assert len(decide.asked) > 10_000


def test_very_long_texts_are_decided_and_not_remembered() -> None:
    decide = Counted(one_of("x" * 1000))
    made = Segment(program((CLAUSE, 0)), [(("x",), decide)], [], 1, 0)
    assert made.matches("u", {"x": "x" * 1000})
    assert made.matches("u", {"x": "x" * 1000})
    assert len(decide.asked) == 2


def test_short_texts_are_told_apart_by_every_byte() -> None:
    alike = {"x" * size for size in range(20)} | {"x" * size + "\0" for size in range(20)}
    alike |= {"x" * at + "y" + "x" * (size - at) for size in range(18) for at in range(size + 1)}
    alike |= {"é", "éx", "x\xe9", "日本"}
    texts = sorted(alike)
    decide = Counted(one_of(*texts[::2]))
    made = Segment(program((CLAUSE, 0)), [(("x",), decide)], [], 1, 0)
    for order in (texts, texts[::-1], texts):
        for text in order:
            again = "".join(list(text))  # an object of its own
            assert made.matches("u", {"x": again}) == (text in texts[::2])
    assert sorted(decide.asked) == texts


def test_the_value_of_one_attribute_among_others_is_found() -> None:
    made = segment_in("country", "SE")
    name = "".join(list("country"))
    assert made.matches("u", {name: "SE"})
    assert not made.matches("u", {"region": "SE"})
    assert made.matches("u", {"region": "NO", name: "SE"})
    assert not made.matches("u", {"region": "SE", name: "NO"})


def test_a_list_has_the_bits_of_its_elements() -> None:
    made = segment_in("x", "a", "b")
    assert made.matches("u", {"x": ["z", None, "b"]})
    assert made.matches("u", {"x": ("a",)})
    assert not made.matches("u", {"x": ["z", ["a"], ("b",)]})
    assert not made.matches("u", {"x": []})


def test_a_decision_of_the_wrong_size_is_refused() -> None:
    made = Segment(program((CLAUSE, 0)), [(("x",), lambda _: b"1")], [], 1, 0)
    with pytest.raises(InvalidInput, match="8 bytes"):
        made.matches("u", {"x": 1})
