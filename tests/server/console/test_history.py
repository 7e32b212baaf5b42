"""The journal as a page, the page of one change, and two revisions compared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import pytest

import nouns
from allotment.change.commands import (
    Command,
    Create,
    Delete,
    PauseIteration,
    Rename,
    SetEnrolment,
    SetWeights,
)
from allotment.model.catalog import EMPTY
from allotment.model.experiment import State
from allotment.server.console.comparison import comparison
from allotment.server.console.history import ENTRIES, HistoryQuery, change_list
from allotment.store import Entry
from server.console.visiting import HERE, Elements, Visiting

STOPPED = nouns.iteration(State.STOPPED)
WHEN = datetime(2026, 5, 6, 7, 8, tzinfo=UTC)


def entry(revision: int, *commands: Command, **more: str) -> Entry:
    said = {"who": "id-1", "dialect": "native", "comment": "", "name": "ada", **more}
    return Entry(
        revision, WHEN, said["who"], said["dialect"], said["comment"], commands, (), said["name"]
    )


class Journal:
    """A journal that is read some entries at a time."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = sorted(entries, key=lambda each: -each.revision)

    def __call__(self, limit: int, before: int | None) -> tuple[tuple[Entry, ...], int | None]:
        known = [each for each in self.entries if before is None or each.revision < before]
        page = tuple(known[: min(limit, 7)])
        return page, page[-1].revision if len(known) > len(page) else None


def test_every_change_is_on_one_page_whatever_the_filter() -> None:
    several = [
        entry(n, PauseIteration("odd" if n % 2 else "even"), comment=f"number {n}")
        for n in range(1, 400)
    ]
    for query, wanted in (
        ({}, range(399, 0, -1)),
        ({"about": "odd"}, range(399, 0, -2)),
        ({"comment": "NUMBER 39"}, [*range(399, 389, -1), 39]),
        ({"about": "none"}, []),
    ):
        journal, before, seen = Journal(several), None, []
        while True:
            page = change_list(journal, HistoryQuery(**query), before)
            assert len(page.changes) <= ENTRIES
            seen += [each.revision for each in page.changes]
            before = page.before
            if before is None:
                break
        assert seen == list(wanted), query


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"who": "Ada"}, [3, 2]),
        ({"who": "id-2"}, [1]),
        ({"api": "auth0"}, [2]),
        ({"about": "button"}, [3, 1]),
        ({"about": "checkout", "who": "ada"}, [2]),
        ({"comment": "why"}, [1]),
    ],
)
def test_a_filter_finds(query: dict[str, str], found: list[int]) -> None:
    journal = Journal(
        [
            entry(1, Create(nouns.FLAG), who="id-2", name="", comment="That is Why"),
            entry(2, SetEnrolment("checkout", 5), dialect="auth0"),
            entry(3, Delete("flag", "button"), Rename("layer", "page", "x")),
        ]
    )
    made = change_list(journal, HistoryQuery(**query), None)
    assert [each.revision for each in made.changes] == found


def test_a_change_is_told_in_words() -> None:
    many = [Rename("flag", "button", f"name {n}") for n in range(25)]
    (line,) = change_list(Journal([entry(1, *many)]), HistoryQuery(), None).changes
    assert line.lines[0] == "flag button: name 'name 0'"
    assert (len(line.lines), line.more) == (20, 5)
    assert (line.when, line.who) == ("2026-05-06 07:08 UTC", "ada")


def test_two_catalogs_are_compared_field_by_field_with_what_moves() -> None:
    old = nouns.catalog(nouns.experiment(), nouns.experiment("gone", STOPPED))
    weights = SetWeights("checkout", "everyone", (("control", 40), ("green", 60)), 100)
    new = nouns.changed(
        old, weights, Delete("experiment", "gone"), Create(nouns.experiment("fresh"))
    )
    made = comparison(old, new)
    changes = {(each.kind, each.key): each for each in made.nouns}
    assert {name: each.what for name, each in changes.items()} == {
        ("experiment", "checkout"): "changed",
        ("experiment", "fresh"): "new",
        ("experiment", "gone"): "gone",
    }
    (field,) = changes["experiment", "checkout"].fields
    assert (field.before, field.after) == (
        "control 50, green 50 of 100",
        "control 40, green 60 of 100",
    )
    assert made.moves == ("checkout / everyone: 10% of the treatment draw moves",)
    assert comparison(new, old).moves == made.moves
    assert comparison(old, old).nouns == ()
    assert len(comparison(EMPTY, new).nouns) == 3


def test_nouns_that_are_not_named_are_not_looked_at() -> None:
    old = nouns.catalog(nouns.experiment())
    new = nouns.changed(old, Rename("flag", "button", "x"), SetEnrolment("checkout", 1))
    named = [("flag", "button"), ("catalog", "catalog")]
    assert [each.key for each in comparison(old, new, named).nouns] == ["button"]


pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(visiting: Visiting) -> httpx.AsyncClient:
    """A reader of a shop that was changed twice."""
    for commands, comment in (
        ([SetEnrolment("checkout", 250_000)], "a quarter"),
        ([PauseIteration("plain")], "a rest"),
    ):
        await visiting.node.write(
            "default/production",
            lambda _, commands=commands: commands,
            dialect="native",
            who="ada",
            comment=comment,
        )
    return await visiting.signed_in()


async def test_the_history_leads_to_each_change(browser: httpx.AsyncClient) -> None:
    page = Elements((await browser.get(f"{HERE}/history")).text)
    assert "3 of 3 changes" in page.words
    assert page.words.index("a rest") < page.words.index("a quarter")
    change = Elements((await browser.get(f"{HERE}/history/2")).text)
    assert "enrolment 100% 25%" in change.words
    assert "a quarter" in change.words
    first = Elements((await browser.get(f"{HERE}/history/1")).text)
    assert "experiment checkout: new" in first.words
    assert (await browser.get(f"{HERE}/history/4")).status_code == 404
    assert (await browser.get(f"{HERE}/history/x")).status_code == 400


async def test_revisions_are_compared_both_ways(browser: httpx.AsyncClient) -> None:
    async def compared(since: str, until: str, status: int = 200) -> str:
        answer = await browser.get(
            f"{HERE}/history/compare", params={"since": since, "until": until}
        )
        assert answer.status_code == status
        return Elements(answer.text).words

    there, back = await compared("1", "3"), await compared("3", "1")
    assert "enrolment 100% 25%" in there
    assert "state running paused" in there
    assert "enrolment 25% 100%" in back
    assert "Nothing." in await compared("2", "2")
    assert "experiment checkout: new" in await compared("0", "1")
    assert "9 is none" in await compared("1", "9", 404)
    assert "whole number" in await compared("1", "", 400)
