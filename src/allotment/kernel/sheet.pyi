from typing import Self, final

from allotment.kernel.plan import Plan

@final
class Sheet:
    """All plans of a snapshot laid out for one unit; made once a snapshot."""

    def __new__(cls, shards: tuple[dict[str, Plan], ...]) -> Self: ...
    @property
    def shards(self) -> tuple[dict[str, Plan], ...]: ...
    @property
    def names(self) -> tuple[str, ...]: ...
