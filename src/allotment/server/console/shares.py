"""Who gets how much: the treatments of an allocation as parts of one bar."""

from __future__ import annotations

from dataclasses import dataclass

from allotment.model.experiment import Allocation, Iteration
from allotment.server.console.charts import Stretch, listed
from allotment.server.console.words import share_of


@dataclass(frozen=True, slots=True)
class TreatmentShare:
    """A treatment's weight in an allocation; `colour` is its place among the treatments.

    A gap, whose units get nothing, has no colour.
    """

    treatment: str
    parts: int
    text: str
    colour: int | None
    is_control: bool = False


@dataclass(frozen=True, slots=True)
class ShareBar:
    """An allocation's weights, which a bar shows and `said` tells."""

    shares: tuple[TreatmentShare, ...]
    total: int

    @property
    def said(self) -> str:
        """The bar in words."""
        return listed(f"{each.treatment} {each.text}" for each in self.shares) or "no treatments"

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The bar's parts."""
        found, edge = [], 0
        for each in self.shares:
            said = f"{each.treatment}: {each.text}"
            found.append(Stretch(edge, edge + each.parts, each.colour, said))
            edge += each.parts
        return tuple(found)


def share_bar(iteration: Iteration, allocation: Allocation) -> ShareBar:
    """The weights of an allocation, in the order of the treatments, with what no treatment has."""
    places = {each.key: place for place, each in enumerate(iteration.treatments)}
    shares = [
        TreatmentShare(
            key,
            parts,
            share_of(parts, allocation.total),
            places.get(key),
            is_control=key == iteration.control,
        )
        for key, parts in allocation.weights
    ]
    gap = allocation.total - sum(each.parts for each in shares)
    if gap > 0:
        shares.append(TreatmentShare("nothing", gap, share_of(gap, allocation.total), None))
    return ShareBar(tuple(shares), allocation.total)
