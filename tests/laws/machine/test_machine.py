"""Random changes by the Auth0 API and by the catalog file, on both stores, against plain dicts."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
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

from allotment.dialects import catalogfile
from laws.machine.allowed import MOVES, Tenancy
from laws.machine.movement import check_moves
from laws.machine.running import run
from postgres import Postgres
from tenant import PARAMETERS, Tenant, tenant

WORDS = st.sampled_from(["Alpha", "Beta", "Gamma test", "Délta", "Epsilon 5"])
RULES = st.sampled_from(
    [
        [{"match": {"country": ["SE"]}}],
        [
            {"not_match": {"browser": {"contains": ["Bot"]}}},
            {"match": {"region": {"exists": True}}},
        ],
    ]
)
OVERRIDES = st.sampled_from([{}, {"show": {"value": True}}, {"style": {"value": "modal"}}])
WEIGHTS = st.sampled_from([(50, 50), (90, 10), (33.5, 66.5), (0, 100), (60, 60), (10, 20)])
WHOLE = {33.5: 34, 66.5: 66}
TIMES = ("created_at", "updated_at", "started_at", "ended_at")


class Machine(RuleBasedStateMachine):
    """Each step is taken on every store, which must answer alike, and as the dicts say."""

    tenants: list[Tenant]
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.expected = Tenancy()
        self.before = [each.catalog for each in self.tenants]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What all stores answer, without its times."""
        answers = [tenant.call(method, path, body) for tenant in self.tenants]
        said = [
            (each.status_code, _timeless(each.json()) if each.content else None) for each in answers
        ]
        assert all(each == said[0] for each in said), said
        return said[0]

    def pick(self, data: st.DataObject, ids: Any) -> str:
        return data.draw(st.sampled_from(sorted(ids)))

    @initialize(segmented=st.booleans())
    def begin(self, segmented: bool) -> None:
        """With an experiment that could be started, lest random steps hardly ever lead to one."""
        made = self.ask("POST", "/feature-flags", {"name": "Begun", "parameters": PARAMETERS})[1]
        flag = made["id"]
        self.expected.flags[flag] = {"name": "Begun", "status": "draft"}
        own = self.expected.variations[flag] = {}
        for name, overrides in (("old", {}), ("new", {"show": {"value": True}})):
            body = {"name": name, "overrides": overrides}
            own[self.ask("POST", f"/feature-flags/{flag}/variations", body)[1]["id"]] = body
        assert self.ask("PATCH", f"/feature-flags/{flag}", {"status": "active"})[0] == 200
        assert self.expected.move_flag(flag, "active")
        if segmented:
            self.create_a_segment("Begun", [{"match": {"country": ["SE"]}}])
        for name in ("Begun", "Begun too"):
            first, second = sorted(own)
            self.create(name, flag, self.items(first, second, (50, 50), self.expected.segments))

    # Flags and variations.

    @rule(name=WORDS)
    def create_a_flag(self, name: str) -> None:
        status, made = self.ask("POST", "/feature-flags", {"name": name, "parameters": PARAMETERS})
        if name in self.expected.names("flags"):
            assert status == 409
            return
        assert status == 201
        self.expected.flags[made["id"]] = {"name": name, "status": "draft"}
        self.expected.variations[made["id"]] = {}

    @precondition(lambda self: self.expected.flags)
    @rule(data=st.data(), name=WORDS, overrides=OVERRIDES)
    def create_a_variation(self, data: st.DataObject, name: str, overrides: Any) -> None:
        flag = self.pick(data, self.expected.flags)
        there = self.expected.variations[flag]
        body = {"name": name, "overrides": overrides}
        status, made = self.ask("POST", f"/feature-flags/{flag}/variations", body)
        if any(each["name"] == name for each in there.values()):
            assert status == 409
        elif self.expected.flags[flag]["status"] == "archived":
            assert status in (201, 400)
        if status == 201:
            there[made["id"]] = {"name": name, "overrides": overrides}

    @precondition(lambda self: self.expected.flags)
    @rule(data=st.data(), status=st.sampled_from(["draft", "active", "archived"]))
    def move_a_flag(self, data: st.DataObject, status: str) -> None:
        flag = self.pick(data, self.expected.flags)
        answer, _ = self.ask("PATCH", f"/feature-flags/{flag}", {"status": status})
        assert (answer == 200) is self.expected.move_flag(flag, status)

    @precondition(lambda self: self.expected.flags)
    @rule(data=st.data())
    def delete_a_flag(self, data: st.DataObject) -> None:
        flag = self.pick(data, self.expected.flags)
        answer, _ = self.ask("DELETE", f"/feature-flags/{flag}")
        if self.expected.users_of(flag):
            assert answer == 409
            return
        assert answer == 204
        del self.expected.flags[flag], self.expected.variations[flag]

    @precondition(lambda self: any(self.expected.variations.values()))
    @rule(data=st.data())
    def delete_a_variation(self, data: st.DataObject) -> None:
        flag = self.pick(data, [f for f, own in self.expected.variations.items() if own])
        one = self.pick(data, self.expected.variations[flag])
        answer, _ = self.ask("DELETE", f"/feature-flags/{flag}/variations/{one}")
        if self.expected.users_of(one):
            assert answer == 409
        elif answer == 204:
            del self.expected.variations[flag][one]
        else:  # the last one of its flag stays
            assert (answer, len(self.expected.variations[flag])) == (400, 1)

    # Segments.

    @rule(name=WORDS, rules=RULES)
    def create_a_segment(self, name: str, rules: Any) -> None:
        status, made = self.ask("POST", "/segments", {"name": name, "rules": rules})
        if name in self.expected.names("segments"):
            assert status == 409
            return
        assert status == 201
        self.expected.segments[made["id"]] = {"name": name, "rules": rules}

    @precondition(lambda self: self.expected.segments)
    @rule(data=st.data(), rules=RULES)
    def change_a_segment(self, data: st.DataObject, rules: Any) -> None:
        segment = self.pick(data, self.expected.segments)
        assert self.ask("PATCH", f"/segments/{segment}", {"rules": rules})[0] == 200
        self.expected.segments[segment]["rules"] = rules

    @precondition(lambda self: self.expected.segments)
    @rule(data=st.data())
    def delete_a_segment(self, data: st.DataObject) -> None:
        segment = self.pick(data, self.expected.segments)
        answer, _ = self.ask("DELETE", f"/segments/{segment}")
        if self.expected.users_of(segment):
            assert answer == 409
            return
        assert answer == 204
        del self.expected.segments[segment]

    # Experiments.

    @precondition(lambda self: any(len(own) > 1 for own in self.expected.variations.values()))
    @rule(data=st.data(), name=WORDS, weights=WEIGHTS, by_segment=st.booleans())
    def create_an_experiment(
        self, data: st.DataObject, name: str, weights: Any, by_segment: bool
    ) -> None:
        flag = self.pick(data, [f for f, own in self.expected.variations.items() if len(own) > 1])
        first, second, *_ = sorted(self.expected.variations[flag])
        segments = self.expected.segments if by_segment else ()
        self.create(name, flag, self.items(first, second, weights, segments))

    def create(self, name: str, flag: str, items: list[dict[str, Any]]) -> None:
        body = {
            "name": name,
            "feature_flag_id": flag,
            "authentication_flow": "authentication",
            "allocation_strategy": "segment" if "segment_id" in items[0] else "percentage",
            "allocations": items,
        }
        status, made = self.ask("POST", "/experiments", body)
        if self.expected.flags[flag]["status"] == "archived":
            assert status == 400
            return
        if name in self.expected.names("experiments"):
            assert status == 409
            return
        assert status == 201, made
        self.expected.experiments[made["id"]] = {
            "name": name,
            "flag": flag,
            "status": "draft",
            "items": items,
        }

    def items(
        self, first: str, second: str, weights: Any, segments: Collection[str]
    ) -> list[dict[str, Any]]:
        """By percentage, or, where there are segments, by the first of them."""
        if segments:
            chosen = {"variation_id": second, "segment_id": min(segments), "priority": 1}
            return [
                {**chosen, "is_control": False},
                {"variation_id": first, "is_control": True, "is_fallback": True},
            ]
        return [
            {"variation_id": first, "weight": weights[0], "is_control": True},
            {"variation_id": second, "weight": weights[1], "is_control": False},
        ]

    @precondition(lambda self: self.expected.experiments)
    @rule(
        data=st.data(),
        statuses=st.lists(st.sampled_from(sorted(MOVES)), min_size=1, max_size=6),
        by_patch=st.booleans(),
    )
    def move_an_experiment(self, data: st.DataObject, statuses: list[str], by_patch: bool) -> None:
        one = self.pick(data, self.expected.experiments)
        for status in statuses:
            self.move(one, status, by_patch)

    def move(self, one: str, status: str, by_patch: bool) -> None:
        ways = {
            True: ("PATCH", f"/experiments/{one}"),
            False: ("POST", f"/experiments/{one}/status"),
        }
        answer, shown = self.ask(*ways[by_patch], {"status": status})
        was = self.expected.experiments[one]["status"]
        assert (answer == 200) is self.expected.move(one, status), (was, status, shown)

    @precondition(lambda self: self.expected.experiments)
    @rule(data=st.data(), weights=WEIGHTS)
    def reweight_an_experiment(self, data: st.DataObject, weights: Any) -> None:
        one = self.pick(data, self.expected.experiments)
        it = self.expected.experiments[one]
        if "weight" not in it["items"][0]:
            return
        items = copy.deepcopy(it["items"])
        for item, weight in zip(items, weights, strict=True):
            item["weight"] = weight
        answer, shown = self.ask("PATCH", f"/experiments/{one}", {"allocations": items})
        if items == it["items"]:  # no change, whatever the status
            assert answer == 200, (it, shown)
        elif it["status"] == "paused" and sum(weights) > 100:
            assert answer in (200, 400)
        else:
            assert (answer == 200) is (it["status"] in ("draft", "paused")), (it, shown)
        if answer == 200:
            it["items"] = items

    @precondition(lambda self: self.expected.experiments)
    @rule(data=st.data(), name=WORDS)
    def rename_an_experiment(self, data: st.DataObject, name: str) -> None:
        one = self.pick(data, self.expected.experiments)
        it = self.expected.experiments[one]
        answer, _ = self.ask("PATCH", f"/experiments/{one}", {"name": name})
        if name == it["name"]:  # no change, whatever the status
            assert answer == 200
        elif name in self.expected.names("experiments") - {it["name"]}:
            assert answer in (400, 409)
        else:
            assert (answer == 200) is (it["status"] != "archived")
        if answer == 200:
            it["name"] = name

    @precondition(lambda self: self.expected.experiments)
    @rule(data=st.data())
    def delete_an_experiment(self, data: st.DataObject) -> None:
        one = self.pick(data, self.expected.experiments)
        answer, _ = self.ask("DELETE", f"/experiments/{one}")
        if self.expected.experiments[one]["status"] == "active":
            assert answer == 400
            return
        assert answer == 204
        del self.expected.experiments[one]

    # The catalog file.

    @precondition(lambda self: self.expected.experiments)
    @rule(data=st.data(), name=WORDS)
    def rename_by_the_file(self, data: st.DataObject, name: str) -> None:
        one = self.pick(data, self.expected.experiments)
        it, name = self.expected.experiments[one], f"{name} by file"
        if it["status"] == "archived" or name in self.expected.names("experiments"):
            return
        for each in self.tenants:
            key = next(k for k, e in each.catalog.experiments.items() if e.name == it["name"])
            head, own, rest = catalogfile.show(each.catalog).rpartition(f"\n  {key}:\n")
            was, _, tail = rest.partition("\n")
            assert own
            assert was.startswith("    name: ")
            text = f'{head}{own}    name: "{name}"\n{tail}'
            each.apply(*catalogfile.read(text, each.catalog))
        it["name"] = name

    @rule()
    def export_and_load(self) -> None:
        for each in self.tenants:
            assert catalogfile.read(catalogfile.show(each.catalog), each.catalog) == ()

    @invariant()
    def exactly_the_total_variation_moved(self) -> None:
        after = [each.catalog for each in self.tenants]
        for old, new in zip(self.before, after, strict=True):
            check_moves(old, new)
        self.before = after

    @invariant()
    def what_is_shown_is_what_there_should_be(self) -> None:
        shown = self.ask("GET", "/experiments?take=50")[1]["experiments"]
        expected = self.expected.experiments
        assert {e["id"] for e in shown} == {
            key for key, each in expected.items() if each["status"] != "archived"
        }
        for seen in shown:
            each = expected[seen["id"]]
            assert (seen["name"], seen["status"]) == (each["name"], each["status"])
            for item, sent in zip(seen["allocations"], each["items"], strict=True):
                expected_item = {**sent, **_whole(sent)}
                assert {name: item[name] for name in sent} == expected_item

    def teardown(self) -> None:
        try:
            self.what_is_shown_at_last_is_what_there_should_be()
        finally:
            self.leave_nothing()

    def what_is_shown_at_last_is_what_there_should_be(self) -> None:
        flags = self.ask("GET", "/feature-flags?take=50")[1]["feature_flags"]
        said = {f["id"]: {name: f[name] for name in ("name", "status")} for f in flags}
        assert said == self.expected.flags
        for key in said:
            own = self.ask("GET", f"/feature-flags/{key}/variations")[1]["variations"]
            assert self.expected.variations[key] == {
                v["id"]: {name: v[name] for name in ("name", "overrides")} for v in own
            }
        segments = self.ask("GET", "/segments?take=50")[1]["segments"]
        assert self.expected.segments == {
            s["id"]: {name: s[name] for name in ("name", "rules")} for s in segments
        }

    def leave_nothing(self) -> None:
        """Delete everything by the API, so that the next run begins with nothing."""
        for query in ("?take=50", "?take=50&status=archived"):
            for each in self.ask("GET", f"/experiments{query}")[1]["experiments"]:
                if each["status"] == "active":
                    self.ask("PATCH", f"/experiments/{each['id']}", {"status": "paused"})
                assert self.ask("DELETE", f"/experiments/{each['id']}")[0] == 204
        for kind, shelf in (("feature-flags", "feature_flags"), ("segments", "segments")):
            for each in self.ask("GET", f"/{kind}?take=50")[1][shelf]:
                assert self.ask("DELETE", f"/{kind}/{each['id']}")[0] == 204
        for each in self.tenants:
            assert not each.catalog.experiments
            assert not each.catalog.flags


def _whole(item: dict[str, Any]) -> dict[str, int]:
    """The weight of an allocation as it is shown: the vendor's clients read whole ones alone."""
    return {"weight": WHOLE.get(item["weight"], item["weight"])} if "weight" in item else {}


def _timeless(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _timeless(each) for name, each in tree.items() if name not in TIMES}
    return [_timeless(each) for each in tree] if isinstance(tree, list) else tree


@pytest.fixture
def machine(tmp_path: Path, postgres: Postgres) -> Iterator[type[Machine]]:
    url = postgres.fresh()
    with tenant(tmp_path) as sqlite, tenant(tmp_path, url) as postgresql:

        class OnBoth(Machine):
            tenants = [sqlite, postgresql]  # noqa: RUF012  # it is set once, for this machine

        yield OnBoth
    postgres.release(url)


def test_both_stores_end_where_the_dicts_do(machine: type[Machine]) -> None:
    run(machine, 12, 25)


@pytest.mark.soak
def test_they_do_after_any_of_thousands_of_histories(machine: type[Machine]) -> None:
    run(machine, 1_000, 50)
