"""The list of experiments as a pure function, and its page."""

from __future__ import annotations

from dataclasses import replace

import pytest

import nouns
from allotment.change.commands import Reserve
from allotment.model.experiment import Allocation, State
from allotment.model.keyed import Keyed
from allotment.model.layer import Layer
from allotment.server.console.experiments import ExperimentsQuery, experiment_list
from allotment.server.console.shares import share_bar
from allotment.store import Stored, Version
from server.console.visiting import HERE, Elements, Visiting

THIRDS = Allocation("everyone", (("control", 1), ("green", 1)), 3)

STOPPED = nouns.iteration(State.STOPPED)


def stored() -> Stored:
    """A few experiments in every state."""
    catalog = nouns.catalog(
        Layer("page", ""),
        nouns.experiment("alpha", name="The first", kept=(("confidence/owner", '"users/ada"'),)),
        nouns.experiment("beta", nouns.iteration(State.PAUSED, enrolment_ppm=125_000)),
        nouns.experiment("gamma", nouns.iteration(State.DRAFT, allocations=())),
        nouns.experiment("delta", nouns.iteration(State.STOPPED, allocations=(THIRDS,))),
        nouns.experiment("epsilon", STOPPED, archived=True, description="Once more"),
    )
    catalog = nouns.changed(catalog, Reserve("page", "beta", 250_000))
    versions = {
        f"experiment:{key}": Version(n, 1_000 * n, 2_000 * n, "maker", f"who-{n}")
        for n, key in enumerate(catalog.experiments, 1)
    }
    return Stored("default/production", catalog, Keyed(versions.items()))


def found(**query: object) -> list[str]:
    """The keys that a query finds."""
    made = experiment_list(stored(), ExperimentsQuery(**query), str.upper)
    return [each.key for each in made.lines]


def test_all_are_shown_in_the_order_of_their_keys() -> None:
    assert found() == ["alpha", "beta", "delta", "epsilon", "gamma"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"q": "FIRST the"}, ["alpha"]),
        ({"q": "once"}, ["epsilon"]),
        ({"q": "lta"}, ["delta"]),
        ({"q": "first beta"}, []),
        ({"state": "paused"}, ["beta"]),
        ({"state": "archived"}, ["epsilon"]),
        ({"state": "draft"}, ["gamma"]),
        ({"flag": "button", "state": "running"}, ["alpha"]),
        ({"flag": "none"}, []),
        ({"layer": "page"}, ["beta"]),
        ({"owner": "ada"}, ["alpha"]),
        ({"owner": "maker"}, ["beta", "delta", "epsilon", "gamma"]),
        ({"sort": "changed"}, ["gamma", "epsilon", "delta", "beta", "alpha"]),
    ],
)
def test_a_query_finds(query: dict[str, str], keys: list[str]) -> None:
    assert found(**query) == keys


def test_a_line_says_what_there_is_to_say() -> None:
    alpha, beta, delta, _, gamma = experiment_list(stored(), ExperimentsQuery(), str.upper).lines
    assert alpha.owner == "users/ada"
    assert alpha.flags == ("button",)
    assert (alpha.changed_at, alpha.changed_by) == (2_000, "WHO-1")
    assert alpha.bar is not None
    assert alpha.bar.said == "control 50%, green 50%"
    assert (beta.state, beta.enrolment_ppm, beta.layer) == ("paused", 125_000, "page")
    assert delta.bar is not None
    assert delta.bar.said == "control ≈33.3333%, green ≈33.3333%, nothing ≈33.3333%"
    assert gamma.bar is None


def test_a_bar_has_every_part_in_its_place() -> None:
    bar = share_bar(nouns.iteration(), replace(THIRDS, total=10))
    assert [(each.start, each.stop, each.colour) for each in bar.stretches] == [
        (0, 1, 0),
        (1, 2, 1),
        (2, 10, None),
    ]


def test_pages_have_every_experiment_once() -> None:
    catalog = nouns.catalog(*(nouns.experiment(f"e{n:03}") for n in range(120)))
    kept = Stored("default/production", catalog)
    seen: list[str] = []
    for page in (1, 2, 3):
        made = experiment_list(kept, ExperimentsQuery(page=str(page)), str)
        assert (made.found, made.total, made.pages, made.page) == (120, 120, 3, page)
        seen += [each.key for each in made.lines]
    assert seen == sorted(catalog.experiments)
    assert experiment_list(kept, ExperimentsQuery(page="99"), str).page == 3


@pytest.mark.anyio
async def test_the_page_shows_what_was_asked_and_keeps_it_in_its_links(
    visiting: Visiting,
) -> None:
    browser = await visiting.signed_in()
    page = await browser.get(f"{HERE}/experiments", params={"state": "running", "q": "e"})
    shown = Elements(page.text)
    assert "2 of 4 experiments" in shown.words
    assert ("input", "value", "e") in shown.attributes
    assert "checkout" in shown.words
    assert "paused" not in [value for tag, name, value in shown.attributes if tag == "a"]


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["state=lost", "page=0", "page=x", "q=a&q=b", "other=1", "q=%ff"])
async def test_a_query_that_is_none_is_refused_with_a_page(visiting: Visiting, query: str) -> None:
    browser = await visiting.signed_in()
    answer = await browser.get(f"{HERE}/experiments?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
