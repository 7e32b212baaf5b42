"""The order of checks: where two would decide, the earlier does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pytest

from allotment.model.assignment import Assignment, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagState, Variation
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.segment import IdList, Segment
from allotment.model.slots import Range, Slot
from allotment.reference import assign, explain

FLAG = Flag("button", (Variation("blue", '"#00f"'), Variation("red", '"#f00"')), "blue")
TREATMENTS = (
    Treatment("control", sets=(("button", "blue"),)),
    Treatment("red", sets=(("button", "red"),)),
)
ALL_RED = (Slot(0, BUCKETS, "red"),)
ITERATION = Iteration(
    4,
    TREATMENTS,
    (Allocation("first", (("red", 1),), 1, segment="members", slots=ALL_RED),),
    state=State.RUNNING,
    salt="e#4",
    control="control",
)
EXPERIMENT = Experiment("e", (), layer="l", holdout="h")
RIVAL = Experiment("rival", (Iteration(1, TREATMENTS, ()),), layer="l")
NOBODY = Segment("nobody")


@dataclass(frozen=True)
class Setting:
    """One experiment with all that can stand around it, and one question."""

    iteration: Iteration = ITERATION
    experiment: Experiment = EXPERIMENT
    rival: Experiment = RIVAL
    flag: Flag = FLAG
    holdout_ppm: int = 0
    ranges: tuple[Range, ...] = (Range(0, BUCKETS),)
    asked: str = "e"
    unit: object = "ann"
    stored: str | tuple[str, ...] | None = None

    def catalog(self) -> Catalog:
        experiment = replace(self.experiment, iterations=(self.iteration,))
        reservations = (Reservation("e", self.ranges), Reservation("rival", ()))
        return Catalog(
            revision=9,
            flags=Keyed([("button", self.flag)]),
            segments=Keyed(
                [("members", Segment("members", include=IdList.of(["ann"]))), ("nobody", NOBODY)]
            ),
            layers=Keyed([("l", Layer("l", "l", reservations=reservations))]),
            holdouts=Keyed([("h", Holdout("h", "h", self.holdout_ppm))]),
            experiments=Keyed([("e", experiment), ("rival", self.rival)]),
        )

    def answer(self) -> Assignment:
        return assign(self.catalog(), self.asked, self.unit, {}, self.stored)

    def within(self, **changes: Any) -> Setting:
        return replace(self, experiment=replace(self.experiment, **changes))

    def during(self, **changes: Any) -> Setting:
        return replace(self, iteration=replace(self.iteration, **changes))


# What makes each check decide, in the order of the checks.
CAUSES: dict[Reason, Callable[[Setting], Setting]] = {
    Reason.UNKNOWN_EXPERIMENT: lambda s: replace(s, asked="gone"),
    Reason.NO_UNIT: lambda s: replace(s, unit=""),
    Reason.OVERRIDE: lambda s: s.within(overrides=(("", "red"), ("ann", "control"))),
    Reason.INACTIVE: lambda s: replace(s, flag=replace(s.flag, state=FlagState.OFF)),
    Reason.HELD_OUT: lambda s: replace(s, holdout_ppm=BUCKETS),
    Reason.NOT_IN_LAYER: lambda s: replace(s, ranges=()),
    Reason.STICKY: lambda s: replace(
        s.within(keeps_assignments=True, ignore_targeting=True), stored="control"
    ),
    Reason.PAUSED: lambda s: s.during(state=State.PAUSED),
    Reason.INTAKE_CLOSED: lambda s: s.within(intake_open=False),
    Reason.NOT_IN_AUDIENCE: lambda s: s.during(audience="nobody"),
    Reason.NOT_ENROLLED: lambda s: s.during(enrolment_ppm=0),
}
TREATED = {Reason.OVERRIDE: "control", Reason.STICKY: "control"}


def _allocate(*allocations: Allocation) -> Setting:
    return Setting().during(allocations=allocations)


def _reason_and_treatment(setting: Setting) -> tuple[Reason, str | None]:
    answer = setting.answer()
    return answer.reason, answer.treatment


def test_where_no_other_check_decides_the_allocation_does() -> None:
    assert Setting().answer() == Assignment(
        "e", "red", Reason.ALLOCATED, {"button": "red"}, False, 4, 9
    )


@pytest.mark.parametrize("reason", CAUSES)
def test_each_check_decides_on_its_own_cause(reason: Reason) -> None:
    assert _reason_and_treatment(CAUSES[reason](Setting())) == (reason, TREATED.get(reason))


@pytest.mark.parametrize(("first", "second"), list(combinations(CAUSES, 2)))
def test_of_two_checks_that_would_decide_the_earlier_does(first: Reason, second: Reason) -> None:
    for causes in ((first, second), (second, first)):
        setting = Setting()
        for reason in causes:
            setting = CAUSES[reason](setting)
        assert _reason_and_treatment(setting) == (first, TREATED.get(first))


def test_an_archived_experiment_is_inactive_for_its_overrides_too() -> None:
    setting = CAUSES[Reason.OVERRIDE](Setting()).within(archived=True)
    assert _reason_and_treatment(setting) == (Reason.INACTIVE, None)


@pytest.mark.parametrize("state", [State.DRAFT, State.STOPPED])
def test_without_a_live_iteration_only_overrides_answer(state: State) -> None:
    setting = Setting().during(state=state)
    assert _reason_and_treatment(setting) == (Reason.INACTIVE, None)
    overridden = CAUSES[Reason.OVERRIDE](setting).answer()
    assert (overridden.treatment, overridden.reason) == ("control", Reason.OVERRIDE)
    assert overridden.is_control


def test_an_override_to_a_treatment_that_is_gone_is_ignored() -> None:
    setting = Setting().within(overrides=(("ann", "gone"),))
    assert _reason_and_treatment(setting) == (Reason.ALLOCATED, "red")


def test_an_archived_flag_makes_an_experiment_inactive() -> None:
    setting = replace(Setting(), flag=replace(FLAG, state=FlagState.ARCHIVED))
    assert _reason_and_treatment(setting) == (Reason.INACTIVE, None)


def test_a_unit_that_another_experiment_of_the_layer_overrides_is_not_in_the_layer() -> None:
    rival = replace(RIVAL, overrides=(("ann", "red"),))
    setting = replace(Setting(), rival=rival)
    assert _reason_and_treatment(setting) == (Reason.NOT_IN_LAYER, None)
    archived = replace(setting, rival=replace(rival, archived=True))
    assert _reason_and_treatment(archived) == (Reason.ALLOCATED, "red")


@pytest.mark.parametrize(
    ("keeps", "ignores", "audience", "stored", "reason"),
    [
        (True, False, "members", "control", Reason.STICKY),
        (True, False, None, "control", Reason.STICKY),
        (True, True, "nobody", "control", Reason.STICKY),
        (True, False, "nobody", "control", Reason.NOT_IN_AUDIENCE),
        (False, True, "members", "control", Reason.ALLOCATED),
        (True, True, "members", None, Reason.ALLOCATED),
        (True, True, "members", "gone", Reason.ALLOCATED),
        (True, False, "members", ("gone", "control"), Reason.STICKY),
        (True, False, "members", ("gone", "else"), Reason.ALLOCATED),
    ],
)
def test_a_kept_assignment_counts_where_it_is_kept_and_still_wanted(
    keeps: bool, ignores: bool, audience: str | None, stored: Any, reason: Reason
) -> None:
    setting = Setting().within(keeps_assignments=keeps, ignore_targeting=ignores)
    answer = replace(setting.during(audience=audience), stored=stored).answer()
    assert answer.reason is reason
    assert answer.to_keep == (keeps and reason is Reason.ALLOCATED)


def test_the_first_allocation_by_priority_that_matches_decides() -> None:
    late = Allocation("late", (), 1, priority=2, slots=(Slot(0, BUCKETS, "control"),))
    early = Allocation("early", (), 1, priority=1, slots=ALL_RED)
    other = Allocation("other", (), 1, segment="nobody", priority=0)
    assert _reason_and_treatment(_allocate(late, early, other)) == (Reason.ALLOCATED, "red")


def test_a_matching_allocation_with_a_gap_there_ends_the_search() -> None:
    gap = Allocation("gap", (), 1, slots=())
    rest = Allocation("rest", (), 1, priority=0, fallback=True, slots=ALL_RED)
    assert _reason_and_treatment(_allocate(gap, rest)) == (Reason.NOT_ALLOCATED, None)


def test_the_fallback_serves_whom_nothing_matched() -> None:
    first = Allocation("first", (), 1, segment="nobody", slots=ALL_RED)
    rest = Allocation(
        "rest", (), 1, priority=0, fallback=True, slots=(Slot(0, BUCKETS, "control"),)
    )
    assert _reason_and_treatment(_allocate(first, rest)) == (Reason.FALLBACK, "control")
    empty = replace(rest, slots=())
    assert _reason_and_treatment(_allocate(first, empty)) == (Reason.NOT_ALLOCATED, None)
    assert _reason_and_treatment(_allocate(first)) == (Reason.NO_MATCH, None)


def test_to_keep_marks_first_assignments_of_a_fallback_too() -> None:
    rest = Allocation("rest", (), 1, priority=0, fallback=True, slots=ALL_RED)
    assert _allocate(rest).within(keeps_assignments=True).answer().to_keep


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("é" * 512, Reason.NO_MATCH),
        ("é" * 512 + "x", Reason.NO_UNIT),
        ("a\ud800", Reason.NO_UNIT),
        ("\0", Reason.NO_MATCH),
        (10**1023, Reason.NO_MATCH),
        (10**1024, Reason.NO_UNIT),
        (-(10**1023), Reason.NO_UNIT),
        (10**5000, Reason.NO_UNIT),
        (True, Reason.NO_UNIT),
        (1.0, Reason.NO_UNIT),
        (None, Reason.NO_UNIT),
        ({"device": "ann"}, Reason.NO_UNIT),
        ({"user": None}, Reason.NO_UNIT),
        ({"user": "ann"}, Reason.ALLOCATED),
    ],
    ids=lambda value: str(type(value)),
)
def test_a_unit_is_text_or_an_integer_of_1_to_1024_bytes(unit: object, reason: Reason) -> None:
    assert replace(Setting(), unit=unit).answer().reason is reason


def test_an_integer_unit_is_its_decimal_text() -> None:
    setting = Setting().within(overrides=(("-17", "control"),))
    assert replace(setting, unit=-17).answer().reason is Reason.OVERRIDE
    assert replace(setting, unit="-017").answer().reason is Reason.NO_MATCH


def test_the_trace_names_every_check_up_to_the_one_that_decided() -> None:
    setting = Setting().during(enrolment_ppm=0)
    answer, checks = explain(setting.catalog(), "e", "ann")
    assert answer.reason is Reason.NOT_ENROLLED
    assert [check.name for check in checks] == [
        "override",
        "active",
        "holdout",
        "layer",
        "sticky",
        "intake",
        "audience",
        "enrolment",
    ]
    last = checks[-1]
    assert last.draw is not None
    assert last.bucket == last.draw * BUCKETS >> 64
    assert (last.bound, last.outcome) == (0, (Reason.NOT_ENROLLED, None))
    assert all(check.outcome is None for check in checks[:-1])
