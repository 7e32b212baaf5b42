"""Changing an experiment by a form: what would happen is told first, and a lost race shows why."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest

import nouns
from allotment.change.apply import apply
from allotment.change.commands import (
    Command,
    Create,
    DraftIteration,
    EndIteration,
    PauseIteration,
    Rename,
    ResumeIteration,
    SetEnrolment,
    SetWeights,
)
from allotment.errors import InvalidInput, NotFound
from allotment.model.experiment import Experiment, State
from allotment.server.console.forms import FORMS, form_named, offered
from allotment.server.console.preview_view import preview_view
from allotment.server.sync.node import Node
from allotment.server.writes.preview import Preview
from server.console.visiting import HERE, Elements, Visiting, check_harmless, form_of
from server.nodes import SPACE

pytestmark = pytest.mark.anyio

CHECKOUT = f"{HERE}/experiments/checkout"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def experiment_of(node: Node, key: str = "checkout") -> Experiment:
    found: Experiment = node.served(SPACE).stored.catalog.experiments[key]
    return found


def hidden(page: str) -> dict[str, str]:
    """The fields of the form that saves what a page shows."""
    return {name: unescape(value) for name, value in _HIDDEN.findall(page.rpartition("<form")[2])}


class Form:
    """A change of an experiment by someone who is signed in, step by step."""

    def __init__(self, browser: httpx.AsyncClient, path: str) -> None:
        self.browser = browser
        self.path = path
        self.page = ""

    async def preview(self, **fields: str) -> Elements:
        """The page that says what would happen."""
        page = await self.browser.get(self.path)
        assert page.status_code == 200, page.text
        sent = {"form": form_of(page.text), **fields}
        answer = await self.browser.post(self.path, data=sent)
        assert answer.status_code == 200, answer.text
        self.page = answer.text
        return check_harmless(answer.text)

    async def save(self, comment: str = "") -> httpx.Response:
        """What the save is answered."""
        fields = hidden(self.page)
        assert fields["step"] == "save"
        return await self.browser.post(self.path, data={**fields, "comment": comment})


async def form(visiting: Visiting, what: str, key: str = "checkout") -> Form:
    browser = await visiting.signed_in("write")
    return Form(browser, f"{HERE}/experiments/{key}/change/{what}")


async def commit(node: Node, *commands: Command) -> None:
    await node.write(SPACE, lambda _: commands, dialect="native", who="other", comment="theirs")


async def test_a_ramp_is_previewed_and_saved_with_a_comment(
    visiting: Visiting, guarded: Node
) -> None:
    await commit(guarded, SetEnrolment("checkout", 100_000))
    ramp = await form(visiting, "ramp")
    told = await ramp.preview(share="20")
    assert "enrolment 10% -> 20% (10% of its draw is let in)" in told.words
    assert "10% of its audience takes part, and 20% would" in told.words
    assert "10% get a treatment and had none; the others keep theirs." in told.words
    assert "No unit goes from one treatment to another." in told.words
    assert experiment_of(guarded).current.enrolment_ppm == 100_000
    saved = await ramp.save("nothing broke")
    assert (saved.status_code, saved.headers["location"]) == (303, CHECKOUT)
    assert experiment_of(guarded).current.enrolment_ppm == 200_000
    (entry, *_) = guarded.store_at(SPACE).journal()
    assert (entry.comment, entry.dialect, entry.name) == ("nothing broke", "console", "ada")


async def test_weights_say_exactly_who_goes_where(visiting: Visiting, guarded: Node) -> None:
    weights = await form(visiting, "weights")
    units = "\n".join(f"user-{number}" for number in range(200))
    told = await weights.preview(
        **{"w0-0": "20", "w0-1": "80", "total0": "100"},
        units=units,
        attributes='{"country": "SE"}',
    )
    assert "control 20, green 80 of 100" in told.words
    assert "30% of the units move." in told.words
    before = [guarded.served(SPACE).engine.assign("checkout", f"user-{n}", {"country": "SE"})
              for n in range(200)]  # fmt: skip
    assert (await weights.save()).status_code == 303
    after = [guarded.served(SPACE).engine.assign("checkout", f"user-{n}", {"country": "SE"})
             for n in range(200)]  # fmt: skip
    moved = sum(a.treatment != b.treatment for a, b in zip(before, after, strict=True))
    assert f"{moved} of the units move." in told.words
    assert 30 < moved < 90


async def test_weights_of_nothing_are_a_gap(visiting: Visiting, guarded: Node) -> None:
    weights = await form(visiting, "weights", "plain")
    told = await weights.preview(**{"w0-0": "10", "w0-1": "80", "total0": "100"})
    assert "10% of the units move." in told.words
    assert (await weights.save()).status_code == 303
    (allocation,) = experiment_of(guarded, "plain").current.allocations
    assert allocation.weights == (("control", 10), ("new", 80))


async def test_what_would_be_refused_says_why_and_cannot_be_saved(visiting: Visiting) -> None:
    weights = await form(visiting, "weights")
    told = await weights.preview(**{"w0-0": "60", "w0-1": "80", "total0": "100"})
    assert "It would be refused: the weights sum to 140" in told.words
    assert 'value="save"' not in weights.page
    assert [f'value="{each}"' in weights.page for each in (60, 80)] == [True] * 2


@pytest.mark.parametrize(
    ("what", "fields", "said"),
    [
        ("ramp", {"share": "much"}, "share"),
        ("ramp", {"share": "120%"}, "share"),
        ("weights", {"total0": "some"}, "total of"),
        ("weights", {"w0-0": "-1", "total0": "100"}, "control of"),
        ("segments", {"segment0": "", "priority0": "first"}, "priority of"),
        ("overrides", {"add": "someone"}, "add"),
        ("overrides", {"remove": "nobody-there"}, "remove"),
        ("ramp", {"share": "20", "units": "u", "attributes": "{"}, "JSON"),
    ],
)
async def test_what_cannot_be_read_shows_the_form_as_it_was_filled_in(
    visiting: Visiting, what: str, fields: dict[str, str], said: str
) -> None:
    browser = await visiting.signed_in("write")
    path = f"{CHECKOUT}/change/{what}"
    page = await browser.get(path)
    answer = await browser.post(path, data={"form": form_of(page.text), **fields})
    assert answer.status_code == 400
    shown = check_harmless(answer.text)
    assert said in shown.words
    for value in fields.values():
        assert value in unescape(answer.text)


async def test_it_is_paused_resumed_and_stopped_with_a_winner(
    visiting: Visiting, guarded: Node
) -> None:
    for what, fields, state in (
        ("pause", {}, State.PAUSED),
        ("resume", {}, State.RUNNING),
        ("stop", {"winner": "green", "reason": "it sold more"}, State.STOPPED),
    ):
        step = await form(visiting, what)
        await step.preview(**fields)
        assert (await step.save()).status_code == 303, what
        assert experiment_of(guarded).current.state is state
    ended = experiment_of(guarded).current
    assert (ended.winner, ended.winning_reason) == ("green", "it sold more")
    assert ended.ended_at


async def test_a_draft_is_started_over_what_runs_with_a_reason(
    visiting: Visiting, guarded: Node
) -> None:
    new = nouns.iteration(State.DRAFT, reshuffle=True)
    await commit(guarded, DraftIteration("checkout", new))
    start = await form(visiting, "start")
    told = await start.preview(justification="more units")
    assert "checkout deals everyone afresh" in told.words
    assert (await start.save()).status_code == 303
    live = experiment_of(guarded).live
    assert live is not None
    assert (live.number, live.justification) == (2, "more units")


async def test_a_pause_says_that_its_units_lose_what_they_have(visiting: Visiting) -> None:
    pause = await form(visiting, "pause", "plain")
    told = await pause.preview(units="\n".join(f"u{number}" for number in range(50)))
    assert "50 of the units move." in told.words


async def test_a_stop_says_that_the_winner_is_given_to_no_unit(visiting: Visiting) -> None:
    stop = await form(visiting, "stop", "checkout")
    told = await stop.preview(winner="green")
    assert (
        "checkout: every unit loses the treatment that it has, but for one with an override."
        in told.words
    )
    assert "its default is" in told.words
    assert "The winner, green, is written down" in told.words


async def test_the_weights_of_all_allocations_are_one_change(
    visiting: Visiting, guarded: Node
) -> None:
    two = nouns.iteration(
        State.RUNNING,
        allocations=(
            replace(nouns.EVERYONE, key="first", priority=1, segment="recent"),
            replace(nouns.EVERYONE, key="rest", fallback=True, priority=0),
        ),
    )
    await commit(guarded, Create(Experiment("two", (two,))))
    weights = await form(visiting, "weights", "two")
    same = {"w0-0": "50", "w0-1": "50", "total0": "100", "total1": "100"}
    assert (
        "Nothing would change."
        in (await weights.preview(**same, **{"w1-0": "50", "w1-1": "50"})).words
    )
    told = await weights.preview(**same, **{"w1-0": "30", "w1-1": "70"})
    assert "two, allocation rest" in told.words
    assert "two, allocation first" not in told.words
    assert (await weights.save()).status_code == 303
    first, rest = experiment_of(guarded, "two").current.allocations
    assert (first.weights[0][1], rest.weights[0][1]) == (50, 30)


async def test_segments_and_the_audience_are_chosen(visiting: Visiting, guarded: Node) -> None:
    segments = await form(visiting, "segments")
    told = await segments.preview(audience="", segment0="recent", priority0="3")
    assert "audience everyone" in told.words
    assert (await segments.save()).status_code == 303
    current = experiment_of(guarded).current
    (allocation,) = current.allocations
    assert (current.audience, allocation.segment, allocation.priority) == (None, "recent", 3)


async def test_overrides_come_and_go(visiting: Visiting, guarded: Node) -> None:
    overrides = await form(visiting, "overrides")
    told = await overrides.preview(
        add="a unit with spaces green\nuser-2  control\n\n", remove="the-boss"
    )
    assert "override of the-boss" in told.words
    assert (await overrides.save()).status_code == 303
    expected = (("a unit with spaces", "green"), ("user-2", "control"))
    assert experiment_of(guarded).overrides == expected


async def test_a_lost_race_shows_the_others_change_and_what_ones_own_would_do_now(
    visiting: Visiting, guarded: Node
) -> None:
    ramp = await form(visiting, "ramp")
    await ramp.preview(share="20%")
    await commit(guarded, SetEnrolment("checkout", 50_000))
    lost = await ramp.save("mine")
    assert lost.status_code == 412
    shown = check_harmless(lost.text)
    assert "someone else made a change" in shown.words
    assert "theirs" in shown.words
    assert "enrolment 5%" in shown.words
    assert "enrolment 5% -> 20%" in shown.words
    assert 'value="mine"' in lost.text
    assert experiment_of(guarded).current.enrolment_ppm == 50_000
    ramp.page = lost.text
    assert (await ramp.save("mine")).status_code == 303
    assert experiment_of(guarded).current.enrolment_ppm == 200_000


async def test_a_change_of_another_experiment_is_no_race(visiting: Visiting, guarded: Node) -> None:
    ramp = await form(visiting, "ramp")
    await ramp.preview(share="20%")
    await commit(guarded, SetEnrolment("plain", 50_000))
    assert (await ramp.save()).status_code == 303


async def test_what_changes_nothing_says_so(visiting: Visiting) -> None:
    told = await (await form(visiting, "ramp")).preview(share="100%")
    assert "Nothing would change." in told.words


async def test_who_may_only_read_is_offered_nothing_and_refused(visiting: Visiting) -> None:
    browser = await visiting.signed_in("read")
    page = await browser.get(CHECKOUT)
    assert "/change/" not in page.text
    assert "/undo" not in (await browser.get(f"{HERE}/history/1")).text
    for path in (f"{CHECKOUT}/change/ramp", f"{HERE}/history/1/undo"):
        assert (await browser.get(path)).status_code == 403
        sent = {"form": form_of(page.text), "share": "1%", "step": "save"}
        assert (await browser.post(path, data=sent)).status_code == 403


async def test_a_form_of_another_page_saves_nothing(visiting: Visiting, guarded: Node) -> None:
    ramp = await form(visiting, "ramp")
    await ramp.preview(share="20%")
    fields = {**hidden(ramp.page), "form": "0" * 64}
    assert (await ramp.browser.post(ramp.path, data=fields)).status_code == 403
    assert experiment_of(guarded).current.enrolment_ppm == 1_000_000


async def test_an_experiment_offers_what_can_be_done_with_it(visiting: Visiting) -> None:
    browser = await visiting.signed_in("write")
    for key, wanted, not_wanted in (
        ("checkout", {"ramp", "weights", "pause", "stop", "segments", "overrides"}, {"resume"}),
        ("paused", {"resume", "stop"}, {"pause", "start"}),
    ):
        page = (await browser.get(f"{HERE}/experiments/{key}")).text
        links = set(re.findall(rf"/experiments/{key}/change/(\w+)", page))
        assert wanted <= links
        assert not links & not_wanted


def test_what_is_offered_follows_the_lifecycle() -> None:
    draft = nouns.experiment("x", nouns.iteration(State.DRAFT))
    assert set(offered(draft)) == {"ramp", "weights", "start", "segments", "overrides"}
    stopped = nouns.experiment("x", nouns.iteration(State.STOPPED))
    assert set(offered(stopped)) == {"overrides"}
    assert set(FORMS) == set().union(*map(offered, (
        draft, nouns.experiment("x"), nouns.experiment("x", nouns.iteration(State.PAUSED)),
    )))  # fmt: skip
    with pytest.raises(NotFound):
        form_named("delete")


def test_a_wide_table_is_a_list_of_its_cells() -> None:
    treatments = tuple(nouns.Treatment(f"t{number}") for number in range(20))
    weights = tuple((one.key, 1) for one in treatments)
    run = nouns.iteration(treatments=treatments, control=None)
    run = nouns.replace(run, allocations=(nouns.Allocation("all", weights, 20),))
    base = nouns.catalog(nouns.experiment("x", run))
    new = (("t0", 3), *weights[1:18], ("t18", 0), ("t19", 0))
    change = apply(base, [SetWeights("x", "all", new, 20)])
    told = Preview(None, (), ("x",), change.moves, {}, change.catalog)
    (table,) = preview_view(told, base).shares
    assert (table.before, table.moved) == ((), "10%")
    moves = {(one.before, one.after, one.text) for one in table.cells if one.moves}
    assert moves == {("t18", "t0", "5%"), ("t19", "t0", "5%")}


async def undoing(visiting: Visiting, revision: int) -> Form:
    browser = await visiting.signed_in("write")
    return Form(browser, f"{HERE}/history/{revision}/undo")


async def test_a_change_is_undone_as_a_revision_with_the_same_preview(
    visiting: Visiting, guarded: Node
) -> None:
    before = guarded.served(SPACE).stored.catalog
    greener = SetWeights("checkout", "everyone", (("control", 20), ("green", 80)), 100)
    await commit(guarded, greener)
    await commit(guarded, Rename("experiment", "plain", "Plain"))
    undo = await undoing(visiting, 2)
    page = await undo.browser.get(undo.path)
    told = check_harmless(page.text)
    assert "30% of the units move." in told.words
    assert "control 50, green 50 of 100" in told.words
    assert "Plain" not in told.words
    undo.page = page.text
    saved = await undo.save("too green")
    assert (saved.status_code, saved.headers["location"]) == (303, f"{HERE}/history")
    now = guarded.served(SPACE).stored.catalog
    assert now.revision == 4
    assert now.experiments["checkout"] == before.experiments["checkout"]
    assert now.experiments["plain"].name == "Plain"


async def test_what_was_made_is_undone_by_taking_it_away(visiting: Visiting, guarded: Node) -> None:
    await commit(guarded, Create(nouns.experiment("new", nouns.iteration(State.DRAFT))))
    undo = await undoing(visiting, 2)
    told = await undo.preview(units="user-1")
    assert "- experiment new" in told.words
    assert (await undo.save()).status_code == 303
    assert "new" not in guarded.served(SPACE).stored.catalog.experiments


async def test_an_undo_that_the_catalog_has_overtaken_is_not_saved(
    visiting: Visiting, guarded: Node
) -> None:
    await commit(guarded, PauseIteration("checkout"))
    undo = await undoing(visiting, 2)
    await undo.preview()
    await commit(guarded, ResumeIteration("checkout"), EndIteration("plain"))
    lost = await undo.save()
    assert lost.status_code == 412
    assert "Nothing would change." in check_harmless(lost.text).words


@pytest.mark.parametrize(("revision", "status"), [("99", 404), ("0", 400), ("x", 400)])
async def test_what_is_no_change_is_not_undone(
    visiting: Visiting, revision: str, status: int
) -> None:
    browser = await visiting.signed_in("write")
    assert (await browser.get(f"{HERE}/history/{revision}/undo")).status_code == status


def test_a_field_that_is_wrong_is_named() -> None:
    some: Any = nouns.experiment("x")
    with pytest.raises(InvalidInput) as refused:
        FORMS["weights"].read({"total0": "0"}, some, 0)
    assert refused.value.path == "total of everyone"
