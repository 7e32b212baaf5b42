"""Segments of the catalog to segments of the kernel, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from allotment.compile import fingerprint
from allotment.kernel.idset import IdSet
from allotment.kernel.segment import Segment as KernelSegment
from allotment.matching.index import NO_WORK, Work
from allotment.matching.program import closure, compile_program
from allotment.model.segment import Segment


class CompiledSegment(NamedTuple):
    """The kernel's segment, the fingerprint of who is in it, the nouns it was made from, and what
    it takes to answer."""

    kernel: KernelSegment
    fingerprint: int
    nouns: tuple[Segment, ...]
    work: Work

    def is_current(self, segments: Mapping[str, Segment]) -> bool:
        """Whether none of the nouns has changed since."""
        return all(segments.get(noun.key) is noun for noun in self.nouns)


def compile_segment(segment: Segment, segments: Mapping[str, Segment]) -> CompiledSegment:
    """Compile a segment with all it refers to; `segments` holds every segment of the catalog."""
    program = compile_program(segment, segments)
    kernel = KernelSegment(
        program.code,
        [(field.path, field.decide) for field in program.fields],
        [IdSet.of_lines(ids.text) for ids in program.lists],
        program.words,
        program.registers,
    )
    nouns = tuple(closure(segment, segments))
    mark = fingerprint.of_parts(segment.key, [fingerprint.of_segment(noun) for noun in nouns])
    work = Work.beside(field.index.work for field in program.fields)
    return CompiledSegment(kernel, mark, nouns, work)


class UsedSegments(NamedTuple):
    """The segments that a plan asks, in the kernel's order; plans that ask the same share them.

    keys    what they are called
    kernel  the segments themselves
    marks   the fingerprint of each, in hexadecimal
    work    what it takes to ask them all
    """

    keys: tuple[str, ...] = ()
    kernel: tuple[KernelSegment, ...] = ()
    marks: tuple[str, ...] = ()
    work: Work = NO_WORK


NO_SEGMENTS: Final = UsedSegments()


class Segments:
    """The compiled segments of a catalog: the old one while it is current, else a `fresh` one."""

    def __init__(self, old: Mapping[str, CompiledSegment], segments: Mapping[str, Segment]) -> None:
        self.fresh: dict[str, CompiledSegment] = {}
        self._old = old
        self._segments = segments
        self._used: dict[tuple[str, ...], UsedSegments] = {}

    def keep(self, used: UsedSegments) -> None:
        """Give these again to who asks the same; no segment may have changed since they were."""
        self._used[used.keys] = used

    def of(self, keys: Iterable[str]) -> UsedSegments:
        """The segments under these keys; raises KeyError for one that is not there."""
        asked = tuple(keys)
        used = self._used.get(asked)
        if used is None:
            found = [self._compiled(key) for key in asked]
            used = self._used[asked] = UsedSegments(
                asked,
                tuple(each.kernel for each in found),
                tuple(f"{each.fingerprint:x}" for each in found),
                found[0].work if len(found) == 1 else Work.all(each.work for each in found),
            )
        return used

    def _compiled(self, key: str) -> CompiledSegment:
        compiled = self.fresh.get(key) or self._old.get(key)
        if compiled is None or not compiled.is_current(self._segments):
            compiled = compile_segment(self._segments[key], self._segments)
            self.fresh[key] = compiled
        return compiled
