"""The page of one experiment, as a pure function and as it is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

import nouns
from allotment.change.commands import Reserve, SwitchFlag
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, State
from allotment.model.flag import FlagState
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Clause, Operator, Sample, Segment
from allotment.server.console.experiment import ExperimentView, experiment_view
from allotment.server.console.layermap import layer_map
from allotment.store import Stored
from server.console.visiting import HERE, Elements, Visiting

DAY = 86_400_000
WEIGHTS = (("control", 50), ("green", 50))
RULES = (Clause(("country",), Operator.IN, ("SE",)),)


def view_of(catalog: Catalog, key: str = "checkout", now: int = 10 * DAY) -> ExperimentView:
    return experiment_view(
        Stored("default/production", catalog), catalog.experiments[key], str, now
    )


def test_allocations_stand_in_the_order_of_asking_the_fallback_last() -> None:
    several = (
        Allocation("rest", WEIGHTS, 100, fallback=True, priority=0),
        Allocation("second", WEIGHTS, 100, segment="some", priority=2),
        Allocation("first", WEIGHTS, 200, segment="some", priority=1),
    )
    made = nouns.experiment("checkout", nouns.iteration(allocations=several))
    view = view_of(nouns.catalog(Segment("some", rules=RULES), made))
    assert [(each.order, each.key) for each in view.allocations] == [
        (1, "first"),
        (2, "second"),
        (3, "rest"),
    ]
    first, _, rest = view.allocations
    assert (first.segment, first.owned, first.bar.said) == (
        "some",
        500_000,
        "control 25%, green 25%, nothing 50%",
    )
    assert (rest.is_fallback, rest.owned) == (True, 1_000_000)


def test_the_layer_says_who_holds_what_and_what_is_free() -> None:
    catalog = nouns.catalog(
        Layer("page", ""),
        nouns.experiment("checkout"),
        nouns.experiment("other"),
        Segment("sampled", rules=RULES, sample=Sample(300_000, "page")),
    )
    catalog = nouns.changed(
        catalog, Reserve("page", "checkout", 125_000), Reserve("page", "other", 250_000)
    )
    view = view_of(catalog)
    assert view.layer is not None
    held = {each.key: (each.kind, each.share) for each in view.layer.holders}
    assert held == {
        "checkout": ("experiment", "12.5%"),
        "other": ("experiment", "25%"),
        "sampled": ("segment", "30%"),
    }
    assert view.reserved == "12.5%"
    assert view.layer.free.share == "32.5%"
    assert view.layer.said.startswith("32.5% free")
    drawn = sum(each.stop - each.start for each in view.layer.stretches)
    assert drawn == 675_000


def test_an_empty_layer_is_free() -> None:
    catalog = nouns.catalog(Layer("page", ""))
    made = layer_map(catalog.layers["page"], catalog)
    assert (made.free.share, made.stretches) == ("100%", ())


def test_iterations_lie_on_a_line_of_time() -> None:
    old = nouns.iteration(State.STOPPED, started_at=DAY, ended_at=4 * DAY, winner="green")
    new = nouns.iteration(number=2, salt="s", reshuffle=True, started_at=6 * DAY)
    draft = nouns.iteration(State.DRAFT, number=3)
    line = view_of(nouns.catalog(nouns.experiment("checkout", old, new, draft))).timeline
    assert [(each.start, each.stop) for each in line.stretches] == [
        (0, 3 * DAY),
        (5 * DAY, 9 * DAY),
    ]
    assert line.whole == 9 * DAY
    third, second, first = line.lines
    assert (first.ran, first.winner, first.dealt) == ("3 days", "green", "afresh")
    assert (second.ran, second.ended, second.dealt) == ("4 days", "", "afresh")
    assert (third.state, third.started, third.ran) == ("draft", "", "")


def test_without_times_there_is_no_line() -> None:
    assert view_of(nouns.catalog(nouns.experiment())).timeline.stretches == ()


def test_a_flag_that_is_off_is_named() -> None:
    catalog = nouns.catalog(nouns.experiment())
    assert view_of(catalog).flags_off == ()
    off = nouns.changed(catalog, SwitchFlag("button", FlagState.OFF))
    assert view_of(off).flags_off == ("button",)


def test_a_holdout_and_overrides_are_shown() -> None:
    made = replace(nouns.experiment(holdout="few"), overrides=(("u", "green"),))
    view = view_of(nouns.catalog(Holdout("few", "", 50_000), made))
    assert view.holdout_ppm == 50_000
    assert view.overrides == (("u", "green"),)


@pytest.mark.anyio
async def test_the_page_says_it_in_words(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    page = Elements((await browser.get(f"{HERE}/experiments/checkout")).text)
    for words in (
        "checkout running",
        "Enrolment 100%",
        "segment nordics",
        "1. everyone",
        "1,000,000 buckets dealt",
        "control 50% control",
        "the-boss",
        "button to green",
    ):
        assert words in page.words, page.words


@pytest.mark.anyio
async def test_an_experiment_that_is_not_there_has_a_page_that_names_the_nearest(
    visiting: Visiting,
) -> None:
    browser = await visiting.signed_in()
    answer = await browser.get(f"{HERE}/experiments/chekout")
    assert answer.status_code == 404
    assert "do you mean &#39;checkout&#39;?" in answer.text
