"""One segment of the catalog to one segment of the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from allotment.compile import fingerprint
from allotment.kernel.idset import IdSet
from allotment.kernel.segment import Segment as KernelSegment
from allotment.matching.index import Work
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
