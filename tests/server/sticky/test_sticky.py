"""A unit that was given a treatment gets it again, whatever becomes of the weights."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from allotment.change.commands import (
    DraftIteration,
    EndIteration,
    PauseIteration,
    ResumeIteration,
    SetIntake,
    SetKeeping,
    StartIteration,
)
from allotment.errors import StoreError
from allotment.model.assignment import Assignment
from allotment.server.assign.bodies import AssignRequest, ResolveRequest
from allotment.server.assign.shown import Shown
from allotment.server.assign.unit import OneUnit
from allotment.server.sticky.assignments import StickyAssignments
from allotment.store import StickyKey, Store
from server.sticky.shop import SWEDEN, Shop, shop, shop_of
from tenant import SPACE


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as made:
        yield made


def test_what_was_given_first_is_given_again(site: Shop) -> None:
    assert site.given("ann") == ("control", "ALLOCATED", False)
    assert site.kept("ann", "bo") == {"ann": "control"}
    site.weigh("first", 0)
    assert site.given("ann") == ("control", "STICKY", False)
    assert site.given("bo") == ("new", "ALLOCATED", False)
    assert site.given("bo") == ("new", "STICKY", False)
    assert site.kept("ann", "bo") == {"ann": "control", "bo": "new"}


def test_a_unit_of_several_kinds_and_an_integer_are_the_same_unit(site: Shop) -> None:
    site.given(17)
    site.weigh("first", 0)
    for unit in ("17", 17, {"user": "17", "device": "x"}, {"user": 17}):
        assert site.given(unit) == ("control", "STICKY", False)


def treatment(site: Shop, path: str, unit: str, **more: Any) -> Any:
    """What a unit gets in `first`, or by way of the flag, as a path says it."""
    found = site.asked(path, {"unit": unit, "attributes": SWEDEN, **more})
    noun, key = ("resolutions", "button") if path == "/v1/resolve" else ("assignments", "first")
    return found[noun][key]["treatment"]


def by_address(site: Shop, unit: str) -> Any:
    found = site.get(f"/v1/assign/first/{unit}?attributes=%7B%22country%22:%22SE%22%7D")
    return found["assignments"]["first"]["treatment"]


def by_batch(site: Shop, unit: str) -> Any:
    body = {"units": [unit], "attributes": [SWEDEN]}
    (found,) = site.asked("/v1/assign/batch", body)["units"]
    return found["assignments"]["first"]["treatment"]


WAYS: dict[str, Callable[[Shop, str], Any]] = {
    "one": lambda site, unit: treatment(site, "/v1/assign", unit, experiment="first"),
    "some": lambda site, unit: treatment(site, "/v1/assign", unit, experiments=["plain", "first"]),
    "all": lambda site, unit: treatment(site, "/v1/assign", unit),
    "flag": lambda site, unit: treatment(site, "/v1/resolve", unit, flag="button"),
    "flags": lambda site, unit: treatment(site, "/v1/resolve", unit),
    "address": by_address,
    "batch": by_batch,
}


def test_every_path_keeps_and_gives_what_is_kept(site: Shop) -> None:
    for unit, way in WAYS.items():
        assert way(site, unit) == "control"
    assert site.kept(*WAYS) == dict.fromkeys(WAYS, "control")
    site.weigh("first", 0)
    for name, way in WAYS.items():
        for unit in WAYS:
            assert way(site, unit) == "control", (name, unit)
        assert way(site, f"new-{name}") == "new"


def test_resolving_keeps_only_what_it_gives(site: Shop) -> None:
    """`first` gives an American nothing; of the two, `plain` keeps nothing."""
    body = {"unit": "ann", "attributes": {"country": "US"}, "flag": "button"}
    found = site.asked("/v1/resolve", body)["resolutions"]["button"]
    assert (found["value"], found["experiment"]) == (3, "plain")
    assert site.kept("ann") == {}


def test_explaining_says_what_is_kept_and_keeps_nothing(site: Shop) -> None:
    def explained(unit: str, **more: Any) -> tuple[str, str]:
        body = {"unit": unit, "attributes": SWEDEN, "experiment": "first", **more}
        found = site.asked("/v1/explain", body)["assignment"]
        return found["treatment"], found["reason"]

    assert explained("ann") == ("control", "ALLOCATED")
    assert site.kept("ann") == {}
    site.weigh("first", 50)
    before = site.catalog.revision
    site.weigh("first", 100)
    site.given("ann")
    site.weigh("first", 0)
    assert explained("ann") == ("control", "STICKY")
    assert explained("ann", stored="new") == ("new", "STICKY")
    # Then it was not kept yet.
    assert explained("ann", revision=before)[1] == "ALLOCATED"
    assert explained("ann", revision=before + 1) == ("control", "STICKY")


def test_a_kept_unit_keeps_its_treatment_while_nobody_else_comes_in(site: Shop) -> None:
    site.given("ann")
    closed = SetIntake("first", open=False), SetIntake("first", open=True)
    paused = PauseIteration("first"), ResumeIteration("first")
    for (close, open_), reason in ((closed, "INTAKE_CLOSED"), (paused, "PAUSED")):
        site.change(close)
        assert site.given("ann") == ("control", "STICKY", False)
        assert {way(site, "ann") for way in WAYS.values()} == {"control"}
        assert site.given("bo") == (None, reason, False)
        assert site.kept("bo") == {}
        site.change(open_)
        assert site.given("ann") == ("control", "STICKY", False)


def test_targeting_counts_unless_it_is_ignored(site: Shop) -> None:
    site.given("ann")
    abroad = {"attributes": {"country": "US"}}
    assert site.given("ann", **abroad) == (None, "NOT_IN_AUDIENCE", False)
    site.change(SetKeeping("first", keeps_assignments=True, ignore_targeting=True))
    assert site.given("ann", **abroad) == ("control", "STICKY", False)
    assert site.given("bo", **abroad) == (None, "NOT_IN_AUDIENCE", False)
    assert site.kept("bo") == {}


def test_another_iteration_begins_anew(site: Shop) -> None:
    site.given("ann")
    iteration = site.catalog.experiments["first"].current
    site.change(EndIteration("first"))
    assert site.given("ann") == (None, "INACTIVE", False)
    site.change(DraftIteration("first", iteration), StartIteration("first"))
    site.weigh("first", 0)
    assert site.given("ann") == ("new", "ALLOCATED", False)
    assert site.kept("ann", iteration=2) == {"ann": "new"}


def test_what_a_client_keeps_itself_is_left_to_it(site: Shop) -> None:
    assert site.given("ann", stored={"first": "new"}) == ("new", "STICKY", False)
    assert site.given("ann", stored={"first": ""}) == ("control", "ALLOCATED", True)
    assert site.kept("ann") == {}
    site.given("ann", stored={"second": "new"})
    assert site.kept("ann") == {"ann": "control"}


def test_units_that_come_at_once_are_kept_together(site: Shop) -> None:
    """And those who ask for the same one are told the same."""
    commits = []
    store = site.node.store_at(SPACE)
    keep = type(store).keep

    async def all_at_once() -> list[Any]:
        body = {"attributes": SWEDEN, "experiment": "first"}
        asks = (site.ask("POST", "/v1/assign", {"unit": f"u{n % 50}", **body}) for n in range(100))
        return await asyncio.gather(*asks)

    def counted(*given: Any, **more: Any) -> Any:
        commits.append(given)
        return keep(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store), "keep", counted)
        answers = site.run(all_at_once())
    assert {each.status_code for each in answers} == {200}
    assert len(site.kept(*(f"u{n}" for n in range(50)))) == 50
    assert len(commits) < 50


def away(_store: object, *_given: object, **_more: object) -> NoReturn:
    raise StoreError("it is away")


def test_while_the_store_is_away_an_answer_says_that_it_is_not_kept(site: Shop) -> None:
    site.given("ann")
    site.weigh("first", 0)
    node = site.node
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(node._follower), "store", property(away))
        # What was seen to be kept is known.
        assert site.given("ann") == ("control", "STICKY", False)
        assert site.given("bo") == ("new", "ALLOCATED", True)
        answer = site.asked("/v1/assign/batch", {"units": ["bo"], "attributes": [SWEDEN]})
        given = answer["units"][0]["assignments"]["first"]
        assert given == {"treatment": "new", "reason": "ALLOCATED", "to_keep": True}
        body = {"unit": "bo", "attributes": SWEDEN, "experiment": "first"}
        assert site.asked("/v1/explain", body)["assignment"]["reason"] == "ALLOCATED"
    assert node.counters.sticky["away"] >= 2
    assert site.kept("bo") == {}
    assert site.given("bo") == ("new", "ALLOCATED", False)


def test_a_store_that_hangs_holds_up_one_answer_and_no_other(site: Shop) -> None:
    store = site.node.store_at(SPACE)
    release = asyncio.Event()

    async def asked() -> tuple[list[Any], float]:
        loop = asyncio.get_running_loop()
        body = {"attributes": SWEDEN, "experiment": "first"}
        first = asyncio.ensure_future(site.ask("POST", "/v1/assign", {"unit": "ann", **body}))
        held = await first
        began = loop.time()
        others = [await site.ask("POST", "/v1/assign", {"unit": "bo", **body}) for _ in range(20)]
        took = loop.time() - began
        release.set()
        return [held, *others], took

    def hanging(*_given: Any) -> Any:
        while not release.is_set():
            time.sleep(0.01)
        away(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store), "sticky", hanging)
        answers, took = site.run(asked())
    assert all(each.json()["assignments"]["first"]["to_keep"] for each in answers)
    assert took < 1.0
    site.run(asyncio.sleep(0.1))
    assert site.given("ann") == ("control", "ALLOCATED", False)


@pytest.mark.parametrize("way", WAYS)
def test_a_kept_treatment_that_was_removed_is_replaced_once(site: Shop, way: str) -> None:
    """`old` had what is removed, `new` comes after that: from then on neither moves."""
    old, new = "old", "new one"
    site.given(old)
    assert site.kept(old) == {old: "control"}
    site.treat("new", "other")
    assert [WAYS[way](site, unit) for unit in (old, new)] == ["new", "new"]
    site.treat("other", "new")
    for unit in (old, new):
        assert WAYS[way](site, unit) == "new"
        assert site.given(unit) == ("new", "STICKY", False)
    assert (site.node.counters.sticky["replaced"], site.node.counters.sticky["away"]) == (1, 0)
    store = site.node.store_at(SPACE)
    sticky_keys = [StickyKey("first", 1, unit) for unit in (old, new)]
    kept = store.sticky(sticky_keys)
    assert [kept[sticky_key].treatments for sticky_key in sticky_keys] == [
        ("control", "new"),
        ("new",),
    ]
    assert site.get(f"/v1/kept/first/{old}")["treatment"] == "new"
    # What it had first is what it has once that is there again, as after a roll back.
    site.treat("other", "new", "control")
    assert [WAYS[way](site, unit) for unit in (old, new)] == ["control", "new"]
    assert site.get(f"/v1/kept/first/{old}")["treatment"] == "control"


def test_two_nodes_replace_a_removed_treatment_by_the_same(tmp_path: Path) -> None:
    with shop(tmp_path) as one, shop_of(tmp_path) as other:
        one.given("ann")
        assert other.given("ann") == ("control", "STICKY", False)  # it remembers that now
        stale = other.node.served(SPACE)
        one.treat("new")
        other.run(other.node.catch_up())
        assert one.given("ann") == ("new", "ALLOCATED", False)
        assert other.given("ann") == ("new", "STICKY", False)
        # One that has not seen the change yet gives what its revision has.
        keeping = StickyAssignments(other.node)
        first = stale.engine.assign("first", "ann", SWEDEN)
        assert isinstance(first, Assignment)
        given = other.run(keeping.settle(stale, "ann", SWEDEN, (first,)))["first"]
        keeping.close()
        assert (given.treatment, given.reason) == ("control", "STICKY")


def test_what_another_revision_kept_and_this_one_lacks_is_replaced_again(tmp_path: Path) -> None:
    """A node that is behind kept a treatment which the one that is ahead has no longer."""
    with shop(tmp_path) as site:
        site.given("ann")
        site.treat("new")
        store = site.node.store_at(SPACE)
        sticky_key = StickyKey("first", 1, "ann")
        read = type(store).sticky

        def late(self: Store, sticky_keys: Any) -> Any:
            found = read(self, sticky_keys)
            if sticky_key in found and not found[sticky_key].later:
                self.keep({sticky_key: "gone"}, revision=1, when=datetime.now(UTC), behind=found)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(store), "sticky", late)
            assert site.given("ann") == ("new", "ALLOCATED", False)
        assert store.sticky([sticky_key])[sticky_key].treatments == ("control", "gone", "new")
        assert site.given("ann") == ("new", "STICKY", False)


def test_the_store_is_not_asked_for_what_keeps_nothing(site: Shop) -> None:
    site.given("ann", "plain")
    site.asked("/v1/assign/batch", {"units": ["ann"], "experiments": ["plain"]})
    assert not site.node.counters.sticky


class Logged:
    """What was logged as given."""

    on = True

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    def log(
        self, _space: str, _kind: str, unit: str, given: Assignment, _allocation: str | None
    ) -> None:
        self.seen.append((str(unit), given.treatment))


@pytest.mark.parametrize("noun", ["experiment", "flag"])
def test_who_comes_second_gives_and_logs_what_the_first_kept(site: Shop, noun: str) -> None:
    """Another node kept something just after this one had looked."""
    logged = Logged()
    unit = OneUnit(logged, StickyAssignments(site.node))  # type: ignore[arg-type]
    shown = Shown(site.node.served(SPACE))
    store = site.node.store_at(SPACE)
    read = type(store).sticky
    looks: list[object] = []

    def late(self: Store, sticky_keys: Any) -> Any:
        looks.append(sticky_keys)
        found = read(self, sticky_keys)
        if not found:
            self.keep({StickyKey("first", 1, "ann"): "new"}, revision=1, when=datetime.now(UTC))
        return found

    async def ask() -> Any:
        if noun == "flag":
            asked = unit.resolve(shown, ResolveRequest("ann", SWEDEN, flag="button"), b"")
        else:
            asked = unit.assign(shown, AssignRequest("ann", SWEDEN, experiment="first"), b"")
        assert isinstance(asked, Awaitable)
        return await asked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store), "sticky", late)
        ready = site.run(ask())
    assert looks
    found = msgspec.json.decode(ready.body)
    told = found["resolutions"]["button"] if noun == "flag" else found["assignments"]["first"]
    assert (told["treatment"], told["reason"]) == ("new", "STICKY")
    assert logged.seen == [("ann", "new")]
    assert noun != "flag" or told["value"] == 2
