"""The checks of an experiment in their order, each a condition: the first that holds decides.

`reference/assign.py` says what they are. What can never be reached is not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from allotment.compile.experiment import Source
from allotment.model.assignment import Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, State
from allotment.model.limits import BUCKETS
from allotment.model.profile import Draw
from allotment.model.stage import (
    enrolment_draw,
    holdout_draw,
    profile_of,
    stage_of,
    treatment_draw,
)
from allotment.sql.clause import all_of, any_of, negated
from allotment.sql.columns import PREFIX
from allotment.sql.dialect import Expr, text
from allotment.sql.draw import StageDraw
from allotment.sql.lists import UnitLists
from allotment.sql.segment import Membership

UNIT: Final = f"{PREFIX}unit"
STEP: Final = f"{PREFIX}step"
KEPT: Final = f"{PREFIX}kept"
FALLBACK: Final = "fallback"


@dataclass(frozen=True, slots=True)
class ExperimentChecks:
    """One experiment, as far as an assignment can get in it.

    deals    whether it takes new units: only then is there an enrolment, and are there allocations
    """

    source: Source
    catalog: Catalog

    @property
    def deals(self) -> bool:
        """Whether it takes new units."""
        experiment, iteration = self.source.experiment, self.source.iteration
        return self.source.live and experiment.intake_open and iteration.state is State.RUNNING

    @property
    def keeps(self) -> bool:
        """Whether what was kept for a unit counts."""
        return self.source.live and self.source.experiment.keeps_assignments

    @property
    def allocations(self) -> list[Allocation]:
        """The allocations that are asked, in their order; the fallback is the last."""
        if not self.deals:
            return []
        return sorted(self.source.iteration.allocations, key=lambda a: (a.fallback, a.priority))

    @property
    def audience(self) -> str | None:
        """The segment of the audience, where somebody asks it."""
        asks = self.deals or (self.keeps and not self.source.experiment.ignore_targeting)
        return self.source.iteration.audience if asks else None

    @property
    def segments(self) -> list[str]:
        """The segments that are asked, by key."""
        found = [self.audience, *(each.segment for each in self.allocations)]
        return [key for key in dict.fromkeys(found) if key is not None]

    @property
    def draws(self) -> dict[str, StageDraw]:
        """The draws that are made, by stage."""
        experiment, iteration, catalog = self.source.experiment, self.source.iteration, self.catalog
        found = []

        def draws(stage: str, draw: Draw, total: int = BUCKETS) -> None:
            found.append(StageDraw(stage, draw, profile_of(draw).count(total)))

        if self.source.live and experiment.holdout is not None:
            draws("holdout", holdout_draw(catalog.holdouts[experiment.holdout]))
        stage = stage_of(experiment, catalog) if self.source.live else None
        if stage is not None:
            draws("layer", stage.draw)
        if self.deals and iteration.enrolment_ppm < BUCKETS:
            draws("enrolment", enrolment_draw(iteration))
        if any(each.slots for each in self.allocations):
            # Where the weights say how many buckets there are, they have one total.
            draws("treatment", treatment_draw(iteration), iteration.allocations[0].total)
        return {each.stage: each for each in found}

    def step(self, lists: UnitLists, members: Membership) -> Expr:
        """Which check decides: its reason, or the name of the allocation that deals."""
        ifs: list[Expr] = []
        for condition, step in self._checks(lists, members):
            if isinstance(condition, exp.Boolean):
                if not condition.this:
                    continue
                default = text(step)
                return exp.Case(ifs=ifs, default=default) if ifs else default
            ifs.append(exp.If(this=condition, true=text(step)))
        raise AssertionError("the last check always decides")

    def _checks(self, lists: UnitLists, members: Membership) -> Iterator[tuple[Expr, str]]:
        experiment, iteration, draws = self.source.experiment, self.source.iteration, self.draws
        unit = exp.column(UNIT)
        yield unit.is_(exp.null()), Reason.NO_UNIT
        if not experiment.archived:
            yield lists.holds(f"override/{experiment.key}", unit), Reason.OVERRIDE
        if not self.source.live:
            yield exp.true(), Reason.INACTIVE
        if "holdout" in draws:
            share = self.catalog.holdouts[str(experiment.holdout)].share_ppm
            yield draws["holdout"].below_share(share), Reason.HELD_OUT
        stage = stage_of(experiment, self.catalog)
        if stage is not None:
            claimed = lists.holds(f"claim/{experiment.key}", unit)
            ours = draws["layer"].within(stage.ranges)
            yield any_of([claimed, negated(ours)]), Reason.NOT_IN_LAYER
        audience = exp.true() if self.audience is None else members.column(self.audience)
        if self.keeps:
            is_kept = negated(exp.column(KEPT).is_(exp.null()))
            yield (
                all_of([is_kept, exp.true() if experiment.ignore_targeting else audience]),
                Reason.STICKY,
            )
        if iteration.state is State.PAUSED:
            yield exp.true(), Reason.PAUSED
        if not experiment.intake_open:
            yield exp.true(), Reason.INTAKE_CLOSED
        yield negated(audience), Reason.NOT_IN_AUDIENCE
        if "enrolment" in draws:
            enrolled = draws["enrolment"].below_share(iteration.enrolment_ppm)
            yield negated(enrolled), Reason.NOT_ENROLLED
        for allocation in self.allocations:
            key = allocation.segment
            matches = exp.true() if key is None else members.column(key)
            yield matches, step_of(allocation)
        yield exp.true(), Reason.NO_MATCH

    def treatment(self, lists: UnitLists) -> Expr:
        """What the check that decided gives; NULL where that is nothing."""
        ifs: list[Expr] = []
        override = f"override/{self.source.experiment.key}"
        if override in lists.lists:
            gives = lists.treatment(override, exp.column(UNIT))
            ifs.append(exp.If(this=text(Reason.OVERRIDE), true=gives))
        if self.keeps:
            ifs.append(exp.If(this=text(Reason.STICKY), true=exp.column(KEPT)))
        for allocation in self.allocations:
            if allocation.slots:
                owner = self.draws["treatment"].owner(allocation.slots)
                ifs.append(exp.If(this=text(step_of(allocation)), true=owner))
        return exp.Case(this=exp.column(STEP), ifs=ifs, default=_nothing()) if ifs else _nothing()

    def reason(self, treatment: Expr) -> Expr:
        """The reason: the step itself, but for an allocation, which may leave a gap."""
        gap = exp.If(this=treatment.is_(exp.null()), true=text(Reason.NOT_ALLOCATED))
        ifs = [
            exp.If(
                this=text(step_of(each)),
                true=exp.Case(
                    ifs=[gap.copy()],
                    default=text(Reason.FALLBACK if each.fallback else Reason.ALLOCATED),
                ),
            )
            for each in self.allocations
        ]
        step = exp.column(STEP)
        return exp.Case(this=step, ifs=ifs, default=step.copy()) if ifs else step


def step_of(allocation: Allocation) -> str:
    """The name of the step that deals by an allocation; no reason is written so."""
    return FALLBACK if allocation.fallback else f"allocation {allocation.key}"


def _nothing() -> Expr:
    return exp.cast(exp.null(), "text")
