from typing import Self, final

from allotment.kernel.segment import Segment

@final
class Topic:
    """Segments that ask the same one attribute and nothing else, asked together."""

    def __new__(cls, segments: tuple[Segment, ...]) -> Self: ...
    @property
    def segments(self) -> tuple[Segment, ...]: ...
