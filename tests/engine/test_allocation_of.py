"""`Engine.allocation_of`: which allocation dealt a treatment, as `explain` shows it."""

from __future__ import annotations

import itertools

import pytest

import allotment
from allotment import Assignment, Engine

TEXT = """\
allotment: 1
segments:
  nordics: {rules: [{attribute: country, in: [SE, NO]}]}
  adults: {rules: [{attribute: age, at_least: 18}]}
experiments:
  page:
    state: running
    treatments: {a: {}, b: {}}
    allocations: %s
    overrides: {fixed: b}
    keeps_assignments: true
"""
NORDICS = "{key: north, segment: nordics, weights: {a: 50, b: 40}, gap: 10}"
ADULTS = "{key: grown, segment: adults, weights: {a: 80, b: 20}}"
REST = "{key: rest, fallback: true, weights: {a: 10, b: 90}}"
ALL = "{key: all, weights: {a: 10, b: 90}}"


@pytest.mark.parametrize(
    "allocations",
    [
        *([ALL], [NORDICS], [NORDICS, REST], [NORDICS, ADULTS], [ADULTS, NORDICS, REST]),
        [NORDICS, ADULTS, ALL],
    ],
)
def test_it_is_the_one_that_explain_shows(allocations: list[str]) -> None:
    engine = allotment.load(TEXT % f"[{', '.join(allocations)}]")
    everyone = itertools.product(range(40), ["SE", "DE", None], [17, 18, None])
    seen = set()
    for unit, country, age in everyone:
        attributes = {"country": country, "age": age}
        given = engine.assign("page", unit, attributes)
        found = engine.allocation_of(given, unit, attributes)
        assert found == shown(engine, unit, attributes)
        seen.add(found)
    assert seen - {None} == {each[6:].partition(",")[0] for each in allocations}


def shown(engine: Engine, unit: int, attributes: dict[str, object]) -> str | None:
    explanation = engine.explain("page", unit, attributes)
    if explanation.assignment.treatment is None:
        return None
    matching = [
        check.name.removeprefix("allocation ")
        for check in explanation.checks
        if check.name.startswith("allocation ") and check.outcome == "matches"
    ]
    return matching[0] if matching else "rest"


def test_what_no_allocation_dealt_has_none() -> None:
    engine = allotment.load(TEXT % f"[{NORDICS}, {REST}]")
    assert engine.allocation_of(engine.assign("page", "fixed"), "fixed") is None
    sticky = engine.assign("page", "u", {"country": "SE"}, stored="a")
    assert engine.allocation_of(sticky, "u", {"country": "SE"}) is None
    assert engine.allocation_of(engine.assign("none", "u"), "u") is None


def test_an_answer_of_an_earlier_revision_has_none() -> None:
    engine = allotment.load(TEXT % f"[{NORDICS}, {REST}]")
    given = engine.assign("page", "u")
    later = Assignment(
        **{
            **{name: getattr(given, name) for name in Assignment.__slots__},
            "revision": given.revision + 1,
        }
    )
    assert engine.allocation_of(given, "u") == "rest"
    assert engine.allocation_of(later, "u") is None
