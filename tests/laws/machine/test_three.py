"""Random changes of the same experiments by three vendors' APIs, on both stores, against dicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from allotment.change.commands import Create, Delete, EndIteration, OrderExperiments
from allotment.dialects.auth0.names import id_of as auth0_id
from allotment.dialects.confidence.names import instance_name
from allotment.model.flag import Flag, Variation
from laws.machine import three
from laws.machine.movement import check_moves
from laws.machine.running import run
from laws.machine.three import APIS, AUTH0, LAUNCHDARKLY, Asked, Expected
from postgres import Postgres
from tenant import Vendor, vendor

API = st.sampled_from(APIS)
WEIGHTS = st.sampled_from([(50, 50), (90, 10), (20, 30), (20, 80), (0, 100), (60, 60)])
FLAG = Flag("button", tuple(Variation(c, f'{{"color":"{c}"}}') for c in three.COLORS), "blue")


class Machine(RuleBasedStateMachine):
    """Each step is taken on every store, which must answer alike, and as the dicts say."""

    vendors: list[Vendor]

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[Expected] = []
        self.made = 0
        self.touched: Expected | None = None
        self.before = [each.catalog for each in self.vendors]

    @initialize()
    def begin(self) -> None:
        for each in self.vendors:
            each.apply(Create(FLAG))

    def ask(self, asked: Asked) -> bool:
        """Whether all stores do it."""
        method, path, body, headers = asked
        answers = [each.call(method, path, body, **headers) for each in self.vendors]
        statuses = {answer.status_code for answer in answers}
        assert len(statuses) == 1, [answer.text for answer in answers]
        assert statuses < {200, 201, 400, 409}, answers[0].text
        return answers[0].is_success

    def pick(self, data: st.DataObject) -> Expected:
        self.touched = data.draw(st.sampled_from(self.expected))
        return self.touched

    @rule(api=API, weights=WEIGHTS)
    def create(self, api: str, weights: tuple[int, int]) -> None:
        self.made += 1
        one = Expected(f"test-{self.made}", f"Test {self.made}", weights, api == AUTH0)
        done = self.ask(three.create(api, one.key, one.name, weights))
        # LaunchDarkly refuses treatments of more than the whole; for the others, starting does.
        assert done is (api != LAUNCHDARKLY or sum(weights) <= 100)
        if done:
            self.expected.append(one)

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), api=API)
    def rename(self, data: st.DataObject, api: str) -> None:
        one, self.made = self.pick(data), self.made + 1
        done = self.ask(three.rename(api, one.key, f"Name {self.made}"))
        assert done is (not one.archived or api == LAUNCHDARKLY)
        if done:
            one.name = f"Name {self.made}"

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), api=API, weights=WEIGHTS)
    def reweigh(self, data: st.DataObject, api: str, weights: tuple[int, int]) -> None:
        one = self.pick(data)
        done = self.ask(three.reweigh(api, one.key, weights))
        too_much = api == LAUNCHDARKLY and sum(weights) > 100 and weights != one.weights
        if weights != one.weights:  # whether what changes nothing is refused is each one's matter
            assert done is (one.may_reweigh(api, weights) and not too_much), one
        if done:
            one.weights = weights

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), api=API)
    def start(self, data: st.DataObject, api: str) -> None:
        one = self.pick(data)
        others = [each for each in self.expected if each is not one]
        over = sum(one.weights) > 100
        done = self.ask(three.start(api, one.key))
        same = one.state == "live" and api != LAUNCHDARKLY and not one.archived
        assert done is (same or (one.may_start(api, others) and not over)), (one, others)
        if done:
            one.state = "live"

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), api=API)
    def stop(self, data: st.DataObject, api: str) -> None:
        one = self.pick(data)
        same = one.state == "ended" and api != LAUNCHDARKLY and not one.archived
        done = self.ask(three.stop(api, one.key))
        assert done is (one.state == "live" or same or self._is_ended(one, api)), one
        if done:
            one.state = "ended" if one.state == "live" else one.state

    @staticmethod
    def _is_ended(one: Expected, api: str) -> bool:
        """Confidence has no archive: what is put away is ended to it."""
        return one.archived and api == "confidence"

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), api=st.sampled_from([AUTH0, LAUNCHDARKLY]))
    def archive(self, data: st.DataObject, api: str) -> None:
        one = self.pick(data)
        done = self.ask(three.archive(api, one.key))
        assert done is one.may_archive(api), one
        one.archived = one.archived or done

    @invariant()
    def exactly_the_total_variation_moved(self) -> None:
        after = [each.catalog for each in self.vendors]
        for old, new in zip(self.before, after, strict=True):
            check_moves(old, new)
        self.before = after

    @invariant()
    def every_api_shows_it_as_it_should_be(self) -> None:
        for each in self.vendors:
            if self.touched is not None:
                self.check(each, self.touched)

    @staticmethod
    def check(api: Vendor, one: Expected) -> None:
        assert _seen(api, one) == [(one.name, *_words(one))] * 3, one

    def teardown(self) -> None:
        for each in self.vendors:
            for one in self.expected:
                self.check(each, one)
            each.apply(
                OrderExperiments("button", ()),
                *(EndIteration(one.key) for one in self.expected if one.state == "live"),
                *(Delete("experiment", one.key) for one in self.expected),
                Delete("flag", "button"),
            )


def _words(one: Expected) -> tuple[Any, ...]:
    state = "ended" if one.archived else one.state
    return state, one.weights


_STATES = {
    "not_started": "draft",
    "running": "live",
    "stopped": "ended",
    "draft": "draft",
    "active": "live",
    "completed": "ended",
    "archived": "ended",
}


def _seen(api: Vendor, one: Expected) -> list[Any]:
    auth0 = api.get(f"/api/v2/experimentation/experiments/{auth0_id('experiment', one.key)}")
    here = "/api/v2/projects/default/environments/production/experiments"
    expand = "expand=draftIteration,previousIterations,treatments"
    dark = api.get(f"{here}/{one.key}?{expand}")
    instance = api.get(f"/v1/{instance_name(one.key)}")
    iteration = dark.get("currentIteration") or dark["draftIteration"]
    status = "archived" if "archivedDate" in dark else iteration["status"]
    return [
        (
            auth0["name"],
            _STATES[auth0["status"]],
            tuple(item["weight"] for item in auth0["allocations"]),
        ),
        (
            dark["name"],
            _STATES[status],
            tuple(int(item["allocationPercent"]) for item in iteration["treatments"]),
        ),
        (
            instance["displayName"],
            instance["state"],
            tuple(item["weight"] // 100 for item in instance["abtest"]["treatments"]),
        ),
    ]


@pytest.fixture
def machine(tmp_path: Path, postgres: Postgres) -> Iterator[type[Machine]]:
    url = postgres.fresh()
    with vendor(tmp_path) as sqlite, vendor(tmp_path, database=url) as postgresql:

        class OnBoth(Machine):
            vendors = [sqlite, postgresql]  # noqa: RUF012  # it is set once, for this machine

        yield OnBoth
    postgres.release(url)


def test_three_apis_agree_on_the_same_experiments(machine: type[Machine]) -> None:
    run(machine, 10, 20)


@pytest.mark.soak
def test_they_do_after_any_of_hundreds_of_histories(machine: type[Machine]) -> None:
    run(machine, 400, 30)
