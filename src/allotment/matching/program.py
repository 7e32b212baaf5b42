"""A segment as a program over bits: what the kernel runs, with nothing left to look up.

The program is postfix on a stack of booleans, in 32-bit little-endian words `op << 24 | operand`.
Every segment that another refers to is evaluated once, before the first that needs it, and kept in
a register: a diamond of references costs no more than a chain, and no chain deepens the stack.
"""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from allotment.errors import InvalidInput
from allotment.matching.clause import identity
from allotment.matching.field import Field
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, IdList, InSegment, Not, Segment


class Op(IntEnum):
    """The instructions; the operand is a bit, an index, a count or a register."""

    CLAUSE = 0
    LIST = 1
    AND = 2  # of none: true
    OR = 3  # of none: false
    NOT = 4
    STORE = 5
    LOAD = 6


# Above this depth an AND or OR joins its operands two by two, so that conditions nested to
# CONDITION_DEPTH_MAX stay below the kernel's 64; below it, one instruction joins many.
_DEPTH_WIDE = 24


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled segment.

    code       the instructions, 4 bytes each
    fields     the attribute paths that are looked at, each with the bits of its clauses
    lists      the lists of ids, as LIST numbers them
    words      64-bit words of the bit set
    registers  how many STORE and LOAD use
    """

    code: bytes
    fields: tuple[Field, ...]
    lists: tuple[IdList, ...]
    words: int
    registers: int


def compile_program(segment: Segment, segments: Mapping[str, Segment]) -> Program:
    """Compile a segment; `segments` holds those it refers to, directly or through others.

    Raises InvalidInput for a reference to nothing, a cycle, or a pattern that RE2 does not take.
    """
    writer = _Writer()
    for noun in closure(segment, segments):
        writer.add(noun, last=noun is segment)
    return writer.program()


def closure(segment: Segment, segments: Mapping[str, Segment]) -> list[Segment]:
    """The segment and all it refers to, each once, after everything that it refers to itself.

    Raises InvalidInput for a reference to nothing and for a cycle.
    """
    done: dict[str, Segment] = {}
    path: dict[str, Iterator[str]] = {segment.key: _references(segment)}
    nouns = {segment.key: segment}
    while path:
        key = next(reversed(path))
        reference = next(path[key], None)
        if reference is None:
            done[key] = nouns[key]
            del path[key]
        elif reference in path:
            circle = " -> ".join([*list(path)[list(path).index(reference) :], reference])
            raise InvalidInput(f"segments go in a circle: {circle}", f"$.segments.{key}")
        elif reference not in done:
            if reference not in segments:
                raise InvalidInput(f"there is no segment {reference!r}", f"$.segments.{key}")
            nouns[reference] = segments[reference]
            path[reference] = _references(nouns[reference])
    return list(done.values())


def _references(segment: Segment) -> Iterator[str]:
    stack: list[Condition] = list(reversed(segment.rules))
    while stack:
        match stack.pop():
            case InSegment(key):
                yield key
            case Not(condition):
                stack.append(condition)
            case AllOf(conditions) | AnyOf(conditions):
                stack.extend(reversed(conditions))
            case Clause():
                pass


class _Writer:
    """The program as it grows, with the numbers given so far."""

    def __init__(self) -> None:
        self.instructions: list[int] = []
        self.depth = 0
        self.clauses: dict[Hashable, tuple[int, Clause]] = {}
        self.lists: dict[IdList, int] = {}
        self.registers: dict[str, int] = {}

    def add(self, segment: Segment, *, last: bool) -> None:
        """Write a segment: its value stays on the stack if it is the last, else in a register."""
        self.member(segment)
        if not last:
            register = self.registers[segment.key] = len(self.registers)
            self.write(Op.STORE, register)

    def member(self, segment: Segment) -> None:
        """Included; or else not excluded, and one of the rules holds."""
        self.join(Op.OR, segment.rules)
        if segment.exclude and segment.rules:
            self.write(Op.LIST, self.listed(segment.exclude))
            self.write(Op.NOT)
            self.write(Op.AND, 2)
        if segment.include:
            self.write(Op.LIST, self.listed(segment.include))
            self.write(Op.OR, 2)

    def condition(self, condition: Condition) -> None:
        match condition:
            case Clause():
                number = len(self.clauses)
                bit, _ = self.clauses.setdefault(identity(condition), (number, condition))
                self.write(Op.CLAUSE, bit)
            case AllOf(conditions):
                self.join(Op.AND, conditions)
            case AnyOf(conditions):
                self.join(Op.OR, conditions)
            case Not(inner):
                self.condition(inner)
                self.write(Op.NOT)
            case InSegment(key):
                self.write(Op.LOAD, self.registers[key])

    def join(self, op: Op, conditions: tuple[Condition, ...]) -> None:
        """All or any of the conditions; of none, true or false, as the kernel has it too."""
        pending = 0
        for condition in conditions:
            self.condition(condition)
            pending += 1
            if pending > 1 and self.depth > _DEPTH_WIDE:
                self.write(op, pending)
                pending = 1
        if pending != 1:
            self.write(op, pending)

    def listed(self, ids: IdList) -> int:
        return self.lists.setdefault(ids, len(self.lists))

    def write(self, op: Op, operand: int = 0) -> None:
        if operand >> 24:
            raise InvalidInput("a segment has more than 16,777,215 conditions", "$.segments")
        self.instructions.append(op << 24 | operand)
        if op in (Op.CLAUSE, Op.LIST, Op.LOAD):
            self.depth += 1
        elif op in (Op.AND, Op.OR):
            self.depth -= operand - 1
        elif op is Op.STORE:
            self.depth -= 1

    def program(self) -> Program:
        """What was written, with the clauses gathered by the path they look at."""
        words = -(-len(self.clauses) // 64)
        paths: dict[tuple[str, ...], list[tuple[int, Clause]]] = {}
        for bit, clause in self.clauses.values():
            paths.setdefault(clause.attribute, []).append((bit, clause))
        return Program(
            code=struct.pack(f"<{len(self.instructions)}I", *self.instructions),
            fields=tuple(Field(path, tuple(found), words) for path, found in paths.items()),
            lists=tuple(self.lists),
            words=words,
            registers=len(self.registers),
        )
