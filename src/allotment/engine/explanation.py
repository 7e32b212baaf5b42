"""Why a unit got what it got: every check with its draw, bucket, bound and outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from allotment.compile.experiment import Source, answer
from allotment.engine import report
from allotment.model.assignment import Assignment
from allotment.model.experiment import Allocation, Iteration


@dataclass(frozen=True, slots=True)
class Check:
    """One check, in the order of asking.

    name     what was asked, such as "layer" or "treatment"
    applies  whether the experiment has this check and no earlier one decided
    draw     the number that a bucket is made of, where the check draws: natively 64 bits
    bucket   the bucket, where it draws: natively floor(draw * 1,000,000 / 2^64)
    buckets  how many buckets there are, where it draws
    bound    what the bucket or the attributes are held against, in words
    outcome  what came of it, in words
    decided  whether this check gave the answer
    """

    name: str
    applies: bool
    draw: int | None
    bucket: int | None
    buckets: int | None
    bound: str
    outcome: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The assignment and the checks that led to it; `print` shows them line by line.

    assignment  what `assign` answers
    checks      every check, in the order of asking, also those after the one that decided
    """

    assignment: Assignment
    checks: tuple[Check, ...]

    def plain_checks(self) -> list[dict[str, Any]]:
        """The checks as plain values; draws are hexadecimal, as JSON numbers hold only 53 bits."""
        return [
            {**asdict(each), "draw": None if each.draw is None else f"{each.draw:016x}"}
            for each in self.checks
        ]

    def __str__(self) -> str:
        treatment = self.assignment.treatment or "no treatment"
        lines = [f"{self.assignment.experiment}: {treatment}, {self.assignment.reason}"]
        for check in self.checks:
            if check.applies:
                bucket = "" if check.bucket is None else f" bucket {check.bucket:,}"
                bound = f" of {check.bound}" if check.bound else ""
                lines.append(f"  {check.name}:{bucket}{bound} -> {check.outcome}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        first, *_ = str(self).split("\n")
        rows = [
            (escape(each.name), *_place(each), escape(each.bound), escape(each.outcome))
            for each in self.checks
            if each.applies
        ]
        return report.table(("check", "bucket", "", "bound", "outcome"), rows, first)


def _place(check: Check) -> tuple[str, str]:
    """The bucket of a check that draws, in figures and as a bar: its share of all buckets."""
    if check.bucket is None or check.buckets is None:
        return ("", "")
    return (f"{check.bucket:,}", report.bar(check.bucket / check.buckets))


# Why the unit is no member of a segment, by its key.
Why = Callable[[str], str]


def explanation(source: Source, trace: Mapping[str, Any], why: Why) -> Explanation:
    """The kernel's trace of one call, in the catalog's names."""
    reason, treatment = trace["outcome"]
    assignment = answer(source, reason, treatment)
    segments = dict(zip(source.segments, trace["members"], strict=False))
    return Explanation(assignment, tuple(_checks(source, trace, assignment, segments, why)))


def _checks(
    source: Source,
    trace: Mapping[str, Any],
    assignment: Assignment,
    segments: Mapping[str, bool],
    why: Why,
) -> Iterator[Check]:
    open_ = True
    for name, applies, draw, bucket, buckets, detail, decided in trace["stages"]:
        bound = f"segment {source.iteration.audience}" if name == "audience" and applies else detail
        if name == "treatment" and open_:
            yield from _allocations(source, trace["pick"], segments, why)
        outcome = _told(assignment) if decided else "passes" if open_ and applies else "not asked"
        if decided and source.failure:
            outcome = f"{outcome}: {source.failure}"
        if name == "audience" and decided and source.iteration.audience is not None:
            outcome = f"{outcome}: {why(source.iteration.audience)}"
        yield Check(name, applies and open_, draw, bucket, buckets, bound, outcome, decided)
        open_ = open_ and not decided


def _allocations(
    source: Source, pick: int, segments: Mapping[str, bool], why: Why
) -> Iterator[Check]:
    """One line an allocation that was asked, in the order of asking."""
    asked = [each for each in asked_in_order(source.iteration) if not each.fallback]
    for place, allocation in enumerate(asked[: pick + 1]):
        bound = "everyone" if allocation.segment is None else f"segment {allocation.segment}"
        matches = allocation.segment is None or segments[allocation.segment]
        outcome = "matches"
        if not matches and allocation.segment is not None:
            outcome = f"does not match: {why(allocation.segment)}"
        yield Check(f"allocation {allocation.key}", True, None, None, None, bound, outcome, False)
        assert matches == (place == pick)


def asked_in_order(iteration: Iteration) -> list[Allocation]:
    """The allocations in the order of asking, the fallback last."""
    return sorted(iteration.allocations, key=lambda each: (each.fallback, each.priority))


def _told(assignment: Assignment) -> str:
    treatment = f": {assignment.treatment}" if assignment.treatment else ""
    return f"{assignment.reason}{treatment}"
