"""A plan says for each command what it changes: old value and new."""

from __future__ import annotations

from dataclasses import replace

from allotment.change import commands as c
from allotment.change.diff import diff
from allotment.model.experiment import Experiment, State
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import AllOf, Clause, IdList, Not, Operator, Segment
from allotment.words.commands import planned_lines, planned_plain
from nouns import catalog, changed, experiment, iteration

ADULT = Clause(("age",), Operator.AT_LEAST, (18,))
NORDIC = Clause(("country",), Operator.IN, ("SE", "NO"))
OVERRIDES = tuple((f"u{index}", "green") for index in range(3))

base = catalog(
    Segment("adults", rules=(ADULT,)),
    Holdout("q4", "", 50_000),
    Layer("pages", "", reservations=(Reservation("checkout", share_ppm=200_000),)),
    experiment(layer="pages", overrides=OVERRIDES),
    experiment("stopped", iteration(State.STOPPED, winner="green", enrolment_ppm=750_000)),
)


def lines(*commands: c.Command) -> list[str]:
    return list(planned_lines(commands, base))


def test_enrolment_says_which_share_is_let_in_or_out() -> None:
    commands = [c.SetEnrolment("checkout", 100_000), c.SetEnrolment("checkout", 125_000)]
    assert lines(*commands) == [
        "~ experiment checkout: enrolment 100% -> 10% (90% of its draw is let out)",
        "~ experiment checkout: enrolment 10% -> 12.5% (2.5% of its draw is let in)",
    ]


def test_a_holdout_that_keeps_out_more_lets_the_difference_out() -> None:
    assert lines(c.SetHoldoutShare("q4", 70_000)) == [
        "~ holdout q4: keeps out 5% -> 7% (2% of its draw is let out)"
    ]


def test_a_share_of_a_layer_reads_as_the_file_writes_it() -> None:
    layer = Layer("pages", "", reservations=(Reservation("checkout", share_ppm=300_000),))
    commands = diff(base, replace(base, layers=Keyed([("pages", layer)])))
    assert lines(*commands) == [
        "~ layer pages: 20% -> 30% for checkout (10% of its draw is let in)"
    ]


def test_who_joins_a_layer_is_not_said_to_be_let_in() -> None:
    assert lines(c.Reserve("pages", "stopped", 10_000)) == ["~ layer pages: 0% -> 1% for stopped"]


def test_rules_are_told_by_what_is_added_and_what_is_removed() -> None:
    assert lines(c.SetRules("adults", (Not(ADULT), NORDIC))) == [
        "~ segment adults: 2 rules",
        '    - {"attribute": "age", "at_least": 18}',
        '    + {"not": {"attribute": "age", "at_least": 18}}',
        '    + {"attribute": "country", "in": ["SE", "NO"]}',
    ]


def test_a_long_rule_is_shown_where_it_changes() -> None:
    countries = Clause(("country",), Operator.IN, tuple(f"country-{n}" for n in range(20)))
    old, new = (AllOf((countries, Clause(("age",), Operator.AT_LEAST, (age,)))) for age in (18, 21))
    start = catalog(Segment("adults", rules=(old,)))
    _, gone, come = planned_lines([c.SetRules("adults", (new,))], start)
    assert gone.strip().startswith("- ...")
    assert gone.endswith('"at_least": 18}]}')
    assert come.endswith('"at_least": 21}]}')
    assert max(map(len, (gone, come))) < 100


def test_overrides_are_told_by_unit_and_the_first_five_of_them() -> None:
    some = (("u0", "control"), ("u1", "green"), ("v", "green"))
    assert lines(c.SetOverrides("checkout", some)) == [
        "~ experiment checkout: 3 overrides",
        "    override of u0: green -> control",
        "    override of u2: green -> none",
        "    override of v: none -> green",
    ]
    many = (*OVERRIDES, *((f"v{index}", "green") for index in range(7)))
    told = lines(c.SetOverrides("checkout", many))
    assert (len(told), told[-1]) == (7, "    overrides: 2 more changed")


def back() -> Experiment:
    """The stopped experiment under another unit, running again, with other weights and salt."""
    old = base.experiments["stopped"]
    (everyone,) = old.current.allocations
    weights = replace(everyone, weights=(("control", 30), ("green", 70)), slots=())
    run = replace(
        old.current,
        state=State.RUNNING,
        salt="other",
        winner=None,
        enrolment_ppm=100_000,
        audience="adults",
        allocations=(weights,),
    )
    return replace(old, iterations=(run,), unit="device", holdout="q4", layer=None)


def test_a_replacement_lists_every_field_that_differs() -> None:
    assert lines(c.Replace(back())) == [
        "~ experiment stopped: replaced",
        "    weights of everyone: control 50, green 50 of 100 -> control 30, green 70 of 100",
        "    state: stopped -> running",
        "    salt: stopped#1 -> other",
        "    audience: everyone -> adults",
        "    enrolment: 75% -> 10%",
        "    winner: green -> none",
        "    unit: user -> device",
        "    holdout: none -> q4",
    ]


def test_a_replacement_says_which_iterations_it_drops() -> None:
    new = changed(base, c.DraftIteration("stopped", iteration(State.DRAFT, 2)))
    (command,) = diff(new, base)
    assert list(planned_lines([command], new)) == [
        "~ experiment stopped: replaced",
        "    iteration 2: draft -> dropped",
    ]


def test_a_replaced_layer_tells_its_salt_and_its_shares() -> None:
    layer = Layer("pages", "salty", reservations=(Reservation("checkout", share_ppm=1000),))
    assert lines(c.Replace(layer)) == [
        "~ layer pages: replaced",
        "    salt: pages -> salty",
        "    reservation of checkout: 20% -> 0.1%",
    ]


def test_a_replaced_segment_counts_its_ids() -> None:
    assert lines(c.Replace(Segment("adults", include=IdList.of(["a", "b"]), rules=(ADULT,)))) == [
        "~ segment adults: replaced",
        "    include: 0 ids -> 2 ids",
    ]


def test_the_plain_form_of_a_replacement_tells_the_fields_before_and_after() -> None:
    (shown, renamed) = planned_plain([c.Replace(back()), c.Rename("flag", "button", "B")], base)
    assert (shown["before"]["unit"], shown["after"]["unit"]) == ("user", "device")
    assert (shown["before"]["enrolment"], shown["after"]["enrolment"]) == ("75%", "10%")
    assert "before" not in renamed
