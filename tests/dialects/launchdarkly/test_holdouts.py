"""Holdouts of LaunchDarkly's API: who is held out is in none of their experiments."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create, SetHoldoutShare
from allotment.dialects.launchdarkly.holdout_views import show_holdout
from allotment.dialects.launchdarkly.holdouts import patch_holdout, post_holdout
from allotment.dialects.launchdarkly.ids import id_of
from allotment.model.assignment import Reason
from allotment.model.layer import Holdout
from ldproject import BASE, SEMANTIC, variation
from ldpure import Dialect
from ldwhole import STAGING, UNITS, Project, instructions, project
from tenant import SPACE

HOLDOUTS = f"{BASE.removeprefix('/api/v2')}/holdouts"
QUARTER = f"{HOLDOUTS}/quarter"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        made.production.flag()
        yield made


@pytest.fixture
def held(api: Project) -> Project:
    """With a holdout `quarter` of a tenth, and the drafts `one` and `two` under it."""
    made = api.holdout()
    for key in ("one", "two"):
        api.production.experiment(key, holdoutId=made["_id"])
    return api


def held_out(api: Project, experiment: str) -> set[str]:
    engine = api.engine_at(SPACE)
    return {unit for unit in UNITS if engine.assign(experiment, unit).reason is Reason.HELD_OUT}


def start(api: Project, *keys: str) -> None:
    for key in keys:
        api.production.told(key, "startIteration")


def test_a_holdout_is_made_with_nothing_under_it(api: Project) -> None:
    made = api.holdout(description="Spring")
    assert made["_id"] == id_of("holdout", "quarter")
    assert (made["status"], made["holdoutAmount"]) == ("created", "10")
    assert (made["description"], made["experiments"]) == ("Spring", [])
    assert made["baseExperiment"]["key"] == "quarter"
    assert made["baseExperiment"]["name"] == "A quarter"
    assert made["baseExperiment"]["type"] == "holdout"
    assert api.at(SPACE).holdouts["quarter"].share_ppm == 100_000
    assert not api.at(STAGING).holdouts


def test_everything_that_is_sent_comes_back(api: Project) -> None:
    api.holdout(
        randomizationunit="device",
        attributes=["country"],
        primarymetrickey="sales",
        metrics=[{"key": "sales"}, {"key": "errors"}],
        prerequisiteflagkey="button",
        maintainerId="12ab3c45de678910fgh12345",
    )
    expand = "draftIteration,secondaryMetrics,treatments,previousIterations"
    base = api.get(f"{QUARTER}?expand={expand}")["baseExperiment"]
    assert base["_maintainerId"] == "12ab3c45de678910fgh12345"
    draft = base["draftIteration"]
    assert draft["randomizationUnit"] == "device"
    assert draft["attributes"] == ["country"]
    assert draft["primaryMetric"]["key"] == "sales"
    assert [each["key"] for each in draft["metrics"]] == ["sales", "errors"]
    assert [each["allocationPercent"] for each in draft["treatments"]] == ["10", "90"]
    plain = api.get(QUARTER)["baseExperiment"]
    assert not {"draftIteration", "currentIteration"} & plain.keys()


@pytest.mark.parametrize("amount", ["5", "0.5", "12.3456", "100"])
def test_an_amount_is_exact(amount: str) -> None:
    dialect = Dialect()
    dialect.do(post_holdout, {"key": "quarter", "holdoutamount": amount})
    assert dialect.show(show_holdout, "holdout", "quarter")["holdoutAmount"] == amount


@pytest.mark.parametrize(
    "amount", ["", "0", "100.1", "-1", "1.23456", "1.", "ten", "5%", "nan", "1e9", 5, None]
)
def test_an_amount_that_is_none_is_refused(amount: Any) -> None:
    body = {"key": "quarter", "holdoutamount": amount}
    assert Dialect().refuses(post_holdout, body) == (400, "invalid_request")


def test_a_holdout_needs_an_amount_and_something_to_call_it(api: Project) -> None:
    for body in ({"key": "quarter"}, {"holdoutamount": "5"}, [], {"key": "a b"}):
        assert api.refused("POST", HOLDOUTS, body) == (400, "invalid_request")
    assert api.production.post("/holdouts", {"name": "All of Q1!", "holdoutamount": "5"})
    assert list(api.at(SPACE).holdouts) == ["all-of-q1"]


def test_a_key_is_given_once(api: Project) -> None:
    api.holdout()
    body = {"key": "quarter", "holdoutamount": "5"}
    assert api.refused("POST", HOLDOUTS, body) == (409, "key_exists")


def test_a_status_follows_the_experiments(held: Project) -> None:
    def status() -> str:
        shown = {held.get(QUARTER)["status"], held.get(HOLDOUTS)["items"][0]["status"]}
        return shown.pop() if len(shown) == 1 else str(shown)

    assert status() == "enabled"
    start(held, "one")
    assert status() == "running"
    base = held.get(QUARTER)["baseExperiment"]
    assert base["currentIteration"]["status"] == "running"
    winner = held.production.winner("one")
    held.production.told("one", {"kind": "stopIteration", "winningTreatmentId": winner})
    assert status() == "running"
    held.told(QUARTER, "endHoldout")
    assert status() == "ended"


def test_the_experiments_under_it_are_shown_with_it(held: Project) -> None:
    start(held, "two")
    plain = held.get(QUARTER)
    assert [each["key"] for each in plain["relatedExperiments"]] == ["one", "two"]
    assert plain["isDirty"] is True
    assert "treatments" not in plain["relatedExperiments"][1]["currentIteration"]
    expand = "rel-treatments,rel-draftIteration,rel-metrics,rel-previousIterations"
    one, two = held.get(f"{QUARTER}?expand={expand},rel-secondaryMetrics")["relatedExperiments"]
    assert len(one["draftIteration"]["treatments"]) == 2
    assert len(two["currentIteration"]["metrics"]) == 2
    assert one["holdoutId"] == plain["_id"]
    assert held.refused("GET", f"{QUARTER}?expand=everything") == (400, "invalid_request")


def test_a_holdout_is_found_by_its_id(held: Project) -> None:
    shown = held.get(f"{HOLDOUTS}/id/{id_of('holdout', 'quarter')}")
    assert shown["baseExperiment"]["key"] == "quarter"
    assert shown["experiments"] == [
        {"key": key, "name": key.title(), "environment": "production"} for key in ("one", "two")
    ]
    for none in ("0" * 24, id_of("layer", "quarter"), "quarter", "f" * 100):
        assert held.refused("GET", f"{HOLDOUTS}/id/{none}") == (404, "not_found")
    for gone in ("gone", "id", "a b"):
        assert held.refused("GET", f"{HOLDOUTS}/{gone}") == (404, "not_found")
    staging = HOLDOUTS.replace("production", "staging")
    assert held.refused("GET", f"{staging}/quarter") == (404, "not_found")
    nowhere = HOLDOUTS.replace("production", "nowhere")
    assert held.refused("GET", nowhere) == (404, "not_found")


def test_a_list_goes_in_windows(api: Project) -> None:
    keys = [f"holdout-{number:02}" for number in range(25)]
    for key in keys:
        api.holdout(key)
    whole = api.get(HOLDOUTS)
    assert [each["key"] for each in whole["items"]] == keys[:20]
    assert whole["total_count"] == 25
    seen, path = [], f"{HOLDOUTS}?limit=10"
    while path:
        page = api.get(path)
        seen += [each["key"] for each in page["items"]]
        more = page["_links"].get("next")
        path = more["href"].removeprefix("/api/v2") if more else ""
    assert seen == keys
    assert api.get(f"{HOLDOUTS}?offset=30")["items"] == []
    for odd in ("limit=0", "limit=x", "offset=-1", "limit=100000", "sort=key"):
        assert api.refused("GET", f"{HOLDOUTS}?{odd}") == (400, "invalid_request")


def test_labels_are_changed(held: Project) -> None:
    steps = (
        {"kind": "updateName", "value": "Spring"},
        {"kind": "updateDescription", "value": "All of it"},
    )
    shown = held.told(QUARTER, *steps)
    assert (shown["baseExperiment"]["name"], shown["description"]) == ("Spring", "All of it")


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ({"kind": "updateName"}, 400),
        ({"kind": "updateName", "value": 7}, 400),
        ({"kind": "updateDescription"}, 400),
        ({"kind": "removeExperiment"}, 400),
        ({"kind": "removeExperiment", "value": "nobody"}, 404),
        ({"kind": "addExperiment", "value": "one"}, 400),
        ({}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(step: Any, status: int) -> None:
    dialect = Dialect()
    dialect.do(post_holdout, {"key": "quarter", "holdoutamount": "10"})
    # With something before it that would be done: nothing of it is.
    for steps in ((step,), ("endHoldout", step)):
        body = instructions(*steps)
        assert dialect.refuses(patch_holdout, body, holdoutKey="quarter")[0] == status


def test_a_patch_is_a_semantic_one(held: Project) -> None:
    body = {"instructions": [{"kind": "endHoldout"}]}
    assert held.refused("PATCH", QUARTER, body) == (400, "invalid_request")
    assert held.refused("PATCH", QUARTER, [], content_type=SEMANTIC)[0] == 422
    assert held.fails(f"{HOLDOUTS}/gone", "endHoldout") == (404, "not_found")


def test_the_same_units_are_held_out_of_each_experiment(held: Project) -> None:
    start(held, "one", "two")
    out = held_out(held, "one")
    assert out == held_out(held, "two")
    assert len(out) == pytest.approx(len(UNITS) / 10, abs=60)


def test_who_is_held_out_gets_what_nobody_in_the_experiment_does(api: Project) -> None:
    rule = {"ruleId": "fallthrough", "flagConfigVersion": 1}
    flags = {"button": {**rule, "notInExperimentVariationId": variation("blue")}}
    api.production.experiment("one", holdoutId=api.holdout()["_id"], flags=flags)
    start(api, "one")
    out, engine = held_out(api, "one"), api.engine_at(SPACE)
    for unit in UNITS[:500]:
        served = engine.resolve("button", unit).variation
        assert (served == "blue") == (unit in out)


def test_an_experiment_leaves_as_a_draft_and_not_while_it_runs(held: Project) -> None:
    start(held, "one")
    out = held_out(held, "one")
    leave = [{"kind": "removeExperiment", "value": key} for key in ("one", "two")]
    assert held.fails(QUARTER, leave[0]) == (400, "invalid_request")
    for _ in range(2):  # the second time there is nothing to do
        shown = held.told(QUARTER, leave[1])
        assert [each["key"] for each in shown["experiments"]] == ["one"]
    start(held, "two")
    assert held_out(held, "one") == out
    assert held_out(held, "two") == set()


def test_ending_a_holdout_lets_its_units_in_and_moves_nobody_else(held: Project) -> None:
    start(held, "one")
    before, out = held.given("one"), held_out(held, "one")
    assert held.told(QUARTER, "endHoldout")["holdoutAmount"] == "0"
    for unit, old, new in zip(UNITS, before, held.given("one"), strict=True):
        assert (new is not None) if unit in out else new == old


def test_an_experiment_in_a_layer_comes_under_no_holdout(api: Project) -> None:
    api.layer()
    api.production.experiment("one")
    api.reserve("one", 50)
    made = api.holdout()
    move = {"holdoutId": {"operation": "update", "value": made["_id"]}}
    step = {"kind": "updateExperimentFields", "value": move}
    assert api.production.fails("one", step) == (400, "invalid_request")


def test_what_another_api_made_is_shown_as_the_nearest(held: Project) -> None:
    held.apply(Create(Holdout("lone", "", 123, unit="device")))
    shown = held.get(f"{HOLDOUTS}/lone?expand=draftIteration,treatments")
    assert shown["holdoutAmount"] == "0.0123"
    assert shown["baseExperiment"]["name"] == "lone"
    assert shown["baseExperiment"]["draftIteration"]["randomizationUnit"] == "device"
    held.apply(SetHoldoutShare("lone", 0))
    assert held.get(f"{HOLDOUTS}/lone")["status"] == "ended"
