from __future__ import annotations

from typing import Any

import pytest

from allotment.errors import InvalidInput
from allotment.kernel.idset import IdSet
from allotment.kernel.plan import Plan
from allotment.model.assignment import REASONS
from kernel.making import HALVES, assigner, make_plan, outcome, segment_in

NAMES = tuple(REASONS)
SWEDES = segment_in("country", "SE")
RUNNING, PAUSED, INTAKE_CLOSED, INACTIVE, ARCHIVED, FAILED = range(6)
A_FOR_ALL = [(-1, [(0, 1_000_000, 0)])]
NOBODY, EVERYBODY = 0, 1_000_000


def reason(plan: Plan, unit: Any = "u", attributes: Any = None, stored: Any = None) -> str:
    return str(NAMES[outcome(plan, unit, attributes, stored)[0]])


def test_a_unit_of_another_kind_is_no_unit() -> None:
    plan = make_plan(unit="device")
    assert reason(plan, {"user": "u"}) == "NO_UNIT"
    assert reason(plan, {"device": "d"}) == "ALLOCATED"


def test_an_override_comes_before_everything_but_the_archive_and_a_failure() -> None:
    listed = IdSet(["u", "v"], [1, 0])
    for state in (RUNNING, PAUSED, INTAKE_CLOSED, INACTIVE):
        held_out = ("h/holdout", EVERYBODY)
        plan = make_plan(state=state, overrides=listed, holdout=held_out, allocations=A_FOR_ALL)
        assert outcome(plan, "u") == (NAMES.index("OVERRIDE"), 1)
        assert outcome(plan, "v") == (NAMES.index("OVERRIDE"), 0)
        assert reason(plan, "w") == ("INACTIVE" if state == INACTIVE else "HELD_OUT")
    assert reason(make_plan(state=ARCHIVED, overrides=listed)) == "INACTIVE"
    assert reason(make_plan(state=FAILED, overrides=listed)) == "FAILED"


def test_a_failed_plan_fails_also_without_a_unit() -> None:
    assert reason(make_plan(state=FAILED), None) == "FAILED"


def test_the_holdout_comes_before_the_layer() -> None:
    layer: Any = ("l/layer", [])
    assert reason(make_plan(holdout=("h", EVERYBODY), layer=layer)) == "HELD_OUT"
    assert reason(make_plan(holdout=("h", NOBODY), layer=layer)) == "NOT_IN_LAYER"


def test_who_is_claimed_by_another_experiment_is_not_in_the_layer() -> None:
    plan = make_plan(layer=("l/layer", [(0, 1_000_000)]), claims=IdSet(["u"]))
    assert reason(plan, "u") == "NOT_IN_LAYER"
    assert reason(plan, "v") == "ALLOCATED"


def test_a_kept_treatment_stands_where_the_audience_matches_or_is_ignored() -> None:
    keeping: dict[str, Any] = {"keeps": True, "segments": (SWEDES,), "audience": 0}
    home, away = {"country": "SE"}, {"country": "NO"}
    assert outcome(make_plan(**keeping), "u", home, "b") == (NAMES.index("STICKY"), 1)
    assert reason(make_plan(**keeping), "u", away, "b") == "NOT_IN_AUDIENCE"
    assert reason(make_plan(**keeping, ignore_targeting=True), "u", away, "b") == "STICKY"
    assert reason(make_plan(**keeping, state=PAUSED), "u", home, "b") == "STICKY"
    assert reason(make_plan(**keeping), "u", home, "gone") == "ALLOCATED"
    assert reason(make_plan(keeps=False), "u", home, "b") == "ALLOCATED"
    layer: Any = ("l/layer", [])
    assert reason(make_plan(**keeping, layer=layer), "u", home, "b") == "NOT_IN_LAYER"


def test_the_state_comes_before_the_audience() -> None:
    targeted: dict[str, Any] = {"segments": (SWEDES,), "audience": 0}
    assert reason(make_plan(state=PAUSED, **targeted)) == "PAUSED"
    assert reason(make_plan(state=INTAKE_CLOSED, **targeted)) == "INTAKE_CLOSED"


def test_the_audience_comes_before_the_enrolment() -> None:
    closed: dict[str, Any] = {"segments": (SWEDES,), "audience": 0, "enrolment": ("e", NOBODY)}
    assert reason(make_plan(**closed), "u", {"country": "NO"}) == "NOT_IN_AUDIENCE"
    assert reason(make_plan(**closed), "u", {"country": "SE"}) == "NOT_ENROLLED"
    open_ = {**closed, "enrolment": ("e", EVERYBODY)}
    assert reason(make_plan(**open_), "u", {"country": "SE"}) == "ALLOCATED"


def test_the_first_allocation_that_matches_decides_also_in_its_gap() -> None:
    plan = make_plan(
        segments=(SWEDES,), allocations=[(0, []), (-1, HALVES)], fallback=[(0, 1_000_000, 0)]
    )
    assert reason(plan, "u", {"country": "SE"}) == "NOT_ALLOCATED"
    assert reason(plan, "u", {"country": "NO"}) == "ALLOCATED"


def test_the_fallback_serves_whom_no_allocation_matches() -> None:
    targeted: dict[str, Any] = {"segments": (SWEDES,), "allocations": [(0, HALVES)]}
    assert reason(make_plan(**targeted)) == "NO_MATCH"
    served = make_plan(**targeted, fallback=[(0, 1_000_000, 1)])
    assert outcome(served, "u") == (NAMES.index("FALLBACK"), 1)
    assert reason(make_plan(**targeted, fallback=[])) == "NOT_ALLOCATED"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": 6},
        {"state": -1},
        {"treatments": 3},
        {"treatments": (1,)},
        {"treatments": tuple(map(str, range(257)))},
        {"overrides": IdSet(["u"])},
        {"overrides": IdSet(["u"], [2])},
        {"holdout": ("h", 1_000_001)},
        {"holdout": ("h", -1)},
        {"holdout": ("\ud800", 1)},
        {"holdout": ("h",)},
        {"enrolment": ("e", 1_000_001)},
        {"layer": ("l", [(5, 3)])},
        {"layer": ("l", [(0, 5), (4, 9)])},
        {"audience": 0},
        {"audience": -2},
        {"segments": ("not one",)},
        {"segments": (SWEDES,) * 258},
        {"allocations": [(0, HALVES)]},
        {"allocations": [(-1, HALVES)] * 257},
        {"allocations": [(-1, HALVES[::-1])]},
        {"allocations": [(-1, [(0, 1_000_001, 0)])]},
        {"allocations": [(-1, [(0, 1, 2)])]},
        {"allocations": [(-1, [(0, 1, -1)])]},
        {"allocations": [(-1, [(i, i + 1, 0) for i in range(1025)])]},
        {"allocations": [(-1, [(0, 1)])]},
        {"allocations": [(-1, [(0, 2**40, 0)])]},
        {"fallback": [(3, 3, 0)]},
    ],
)
def test_a_malformed_plan_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        make_plan(**changes)


def test_an_answer_is_made_once_and_then_the_same_object() -> None:
    made: list[tuple[int, int]] = []

    def answer(source: object, reason: int, treatment: int) -> object:
        made.append((reason, treatment))
        return object()

    engine = assigner({"it": make_plan(answer=answer)})
    answers = {id(engine.assign("it", f"u{i}")) for i in range(100)}
    assert len(answers) == 2
    assert sorted(made) == [(NAMES.index("ALLOCATED"), 0), (NAMES.index("ALLOCATED"), 1)]


def test_a_simple_plan_is_under_a_kilobyte_also_after_it_has_answered() -> None:
    plan = make_plan(segments=(SWEDES,), allocations=[(0, HALVES)])
    outcome(plan, "u")
    assert plan.nbytes < 1024


def test_a_fingerprint_is_kept_as_it_is() -> None:
    for fingerprint in (0, 1, 2**64 - 1, 2**64, 2**128 - 1):
        assert make_plan(fingerprint=fingerprint).fingerprint == fingerprint


@pytest.mark.parametrize("fingerprint", [-1, 2**128, "a"])
def test_a_fingerprint_of_other_than_128_bits_is_refused(fingerprint: object) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        make_plan(fingerprint=fingerprint)


def test_a_plan_holds_the_tables_that_can_be_asked_and_no_others() -> None:
    """What everyone is a member of is the last that is asked."""
    alone = make_plan()
    followed = make_plan(allocations=[(-1, HALVES), (-1, HALVES)], fallback=HALVES)
    assert followed.nbytes == alone.nbytes
    assert make_plan(enrolment=("s/enrolment", 500_000)).nbytes > alone.nbytes
