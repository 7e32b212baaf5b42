from collections.abc import Callable, Sequence
from typing import Self, final

from allotment.kernel.idset import IdSet
from allotment.kernel.recipe import Recipe
from allotment.kernel.segment import Segment

@final
class Plan:
    """A compiled experiment. Slots and ranges are half-open in buckets of their stage, ascending.

    A stage draws by the text of a salt, natively into 1,000,000 buckets, or by a Recipe.

    state        0 running, 1 paused, 2 intake closed, 3 inactive, 4 archived, 5 failed
    treatments   their names; everywhere else a treatment is its index
    unit         the unit kind
    overrides    unit keys, each with a treatment
    claims       unit keys that are overridden in another experiment of the layer
    holdout      (draw, bound): a unit whose bucket is below the bound is held out
    layer        (draw, ranges): the buckets that are the experiment's
    segments     what `audience` and `allocations` refer to by index; -1 is everyone
    enrolment    (draw, bound): a unit whose bucket is below is enrolled; None: everyone
    treatment    the draw of the allocations
    allocations  in order of asking: (segment, slots (start, stop, treatment))
    fallback     slots for those whom no allocation matches
    answer       answer(source, reason, treatment or -1), called once an outcome and then kept
    fingerprint  128 bits that tell what the plan was compiled from

    Raises InvalidInput where any of it is malformed.
    """

    def __new__(
        cls,
        *,
        state: int,
        treatments: Sequence[str],
        unit: str,
        overrides: IdSet | None,
        claims: IdSet | None,
        holdout: tuple[str | Recipe, int] | None,
        layer: tuple[str | Recipe, Sequence[tuple[int, int]]] | None,
        keeps: bool,
        ignore_targeting: bool,
        segments: Sequence[Segment],
        audience: int,
        enrolment: tuple[str | Recipe, int] | None,
        treatment: str | Recipe,
        allocations: Sequence[tuple[int, Sequence[tuple[int, int, int]]]],
        fallback: Sequence[tuple[int, int, int]] | None,
        source: object,
        answer: Callable[[object, int, int], object],
        fingerprint: int = 0,
    ) -> Self: ...
    @property
    def names(self) -> tuple[str, ...]:
        """The treatments."""
    @property
    def unit(self) -> str: ...
    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What the stages draw by that do not draw natively."""
    @property
    def segments(self) -> tuple[Segment, ...]: ...
    @property
    def source(self) -> object: ...
    @property
    def fingerprint(self) -> int: ...
    @property
    def overrides(self) -> IdSet | None: ...
    @property
    def claims(self) -> IdSet | None: ...
    @property
    def nbytes(self) -> int:
        """Bytes of memory of the plan: what it shares (segments, source, answers) not counted."""
