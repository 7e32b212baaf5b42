"""What was made elsewhere is shown as nearest, and stays as it is until a request names it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import PauseIteration
from allotment.cli.changes import commands_of
from allotment.model.catalog import EMPTY
from clients import python_with
from ldproject import ALL, BASE, SEMANTIC, Environment, variation
from tenant import halves as auth0_halves

CATALOG = """
allotment: 1
flags:
  button:
    default: blue
    variations: {blue: "#00f", green: "#0f0", none: null}
    experiments: [checkout]
  banner:
    default: plain
    variations: {plain: a, large: b}
segments:
  nordics:
    rules:
      - {attribute: country, in: [SE, "NO"]}
experiments:
  checkout:
    unit: user
    audience: nordics
    treatments:
      control: {control: true, sets: {button: blue, banner: plain}}
      green: {sets: {button: green, banner: large}}
      none: {sets: {button: none, banner: plain}}
    state: running
    enrolment: "12.5%"
    overrides: {user-9: none}
    allocations:
      - {segment: nordics, weights: {control: 1, green: 1, none: 1}, of: 3}
      - {fallback: true, weights: {control: 40, green: 60}}
  third:
    state: draft
    treatments:
      control: {control: true, sets: {button: blue}}
      green: {sets: {button: green}}
    allocations:
      - {weights: {control: 1, green: 1}, of: 3, gap: 1}
"""

READ = """
import json, sys
import launchdarkly_api as ld
page = json.load(sys.stdin)
for one in ld.ExperimentCollectionRep.from_dict(page).items:
    print(one.key, (one.current_iteration or one.draft_iteration).status)
"""


@pytest.fixture
def foreign(api: Environment, tmp_path: Path) -> Environment:
    file = tmp_path / "catalog.yaml"
    file.write_text(CATALOG)
    api.apply(*commands_of(file, EMPTY))
    return api


def test_an_experiment_shows_the_shares_of_whom_no_segment_serves(foreign: Environment) -> None:
    shown = foreign.shown("checkout")
    assert (shown["name"], shown["_maintainerId"]) == ("checkout", "0" * 24)
    current = shown["currentIteration"]
    assert (current["status"], current["canReshuffleTraffic"]) == ("running", False)
    assert (current["hypothesis"], current["metrics"]) == ("", [])
    assert [(one["name"], one["allocationPercent"]) for one in current["treatments"]] == [
        ("control", "40"),
        ("green", "60"),
        ("none", "0"),
    ]
    otherwise = {key: one["notInExperimentVariationId"] for key, one in current["flags"].items()}
    assert otherwise == {
        "button": variation("blue"),
        "banner": variation("plain", "banner"),
    }
    thirds = foreign.shown("third")["draftIteration"]["treatments"]
    assert [one["allocationPercent"] for one in thirds] == ["33.3333", "33.3333"]


def test_the_real_client_reads_experiments_of_every_origin(foreign: Environment) -> None:
    foreign.base = "/api/v2/experimentation"
    parameters = {"show": {"type": "boolean", "value": False}}
    body: dict[str, Any] = {"name": "Login box", "parameters": parameters}
    flag = foreign.post("/feature-flags", body)["id"]
    path = f"/feature-flags/{flag}/variations"
    ids = [
        foreign.post(path, {"name": name, "overrides": overrides})["id"]
        for name, overrides in (("control", {}), ("new", {"show": {"value": True}}))
    ]
    body = {"name": "Shorter login", "feature_flag_id": flag, "authentication_flow": "all"}
    foreign.post("/experiments", {**body, "allocations": auth0_halves(*ids)})
    foreign.post("/experiments", {**body, "name": "Empty"})
    foreign.base = "/v1/workflows/abtest"
    foreign.post("/instances", {"displayName": "Without treatments"})
    foreign.base = BASE
    page = foreign.get(f"/experiments{ALL}")
    python = python_with("launchdarkly-api==25.0.1")
    done = subprocess.run(
        [python, "-c", READ], input=json.dumps(page), capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "checkout running",
        "empty not_started",
        "shorter-login not_started",
        "third not_started",
        "without-treatments not_started",
    ], done.stderr


def said(shown: dict[str, Any]) -> dict[str, Any]:
    """An iteration that is shown, as a request says it."""
    flags = {
        key: {
            "ruleId": one["targetingRule"],
            "flagConfigVersion": one["flagConfigVersion"],
            "notInExperimentVariationId": one["notInExperimentVariationId"],
        }
        for key, one in shown["flags"].items()
    }
    named = ("hypothesis", "canReshuffleTraffic", "randomizationUnit", "treatments")
    more = {"metrics": [{"key": "sales"}], "primarySingleMetricKey": "sales"}
    return {**{name: shown[name] for name in named}, "flags": flags, **more}


def test_what_is_sent_as_it_was_shown_moves_nobody(foreign: Environment) -> None:
    flags = foreign.catalog.flags
    before = foreign.catalog.experiments["checkout"].iterations[0]
    shown = foreign.shown("checkout")["currentIteration"]
    foreign.post("/experiments/checkout/iterations", said(shown))
    draft = foreign.catalog.experiments["checkout"].draft
    assert draft is not None
    # It has no slots until it starts: then it gets those that are dealt then.
    dealt = tuple(replace(allocation, slots=()) for allocation in before.allocations)
    assert (draft.salt, draft.allocations) == (before.salt, dealt)
    assert (draft.audience, draft.enrolment_ppm) == (before.audience, before.enrolment_ppm)
    assert foreign.catalog.flags == flags


def test_an_edited_copy_keeps_what_this_api_cannot_say(foreign: Environment) -> None:
    before = foreign.catalog.experiments["checkout"].iterations[0]
    units = [f"user-{number}" for number in range(3_000)]
    known = {"country": "SE"}
    was = [foreign.engine.assign("checkout", unit, known).treatment for unit in units]
    value = {"hypothesis": {"operation": "update", "value": "New"}}
    foreign.told("checkout", {"kind": "saveAndStartNewIteration", "value": value})
    after = foreign.catalog.experiments["checkout"].iterations[1]
    assert (after.audience, after.allocations) == (before.audience, before.allocations)
    assert [foreign.engine.assign("checkout", unit, known).treatment for unit in units] == was
    assert {*was} == {"control", "green", "none", None}


def test_a_copy_is_of_what_runs_and_not_of_the_draft_there_is(foreign: Environment) -> None:
    before = foreign.catalog.experiments["checkout"].iterations[0]
    body = said(foreign.shown("checkout")["currentIteration"])
    body["treatments"] = body["treatments"][:2]
    foreign.post("/experiments/checkout/iterations", body)
    foreign.told("checkout", "saveAndStartNewIteration")
    after = foreign.catalog.experiments["checkout"].iterations[1]
    assert (after.treatments, after.allocations) == (before.treatments, before.allocations)


def test_treatments_that_are_named_replace_what_was_there(foreign: Environment) -> None:
    shown = foreign.shown("checkout")["currentIteration"]
    body = said(shown)
    body["treatments"] = [
        {**one, "allocationPercent": percent}
        for one, percent in zip(body["treatments"], ("40", "50", "10"), strict=True)
    ]
    foreign.post("/experiments/checkout/iterations", body)
    draft = foreign.catalog.experiments["checkout"].draft
    assert draft is not None
    (allocation,) = draft.allocations
    assert (allocation.segment, allocation.fallback) == (None, False)
    assert dict(allocation.weights) == {"control": 40, "green": 50, "none": 10}
    assert (draft.audience, draft.enrolment_ppm) == ("nordics", 125_000)


def test_a_paused_experiment_shows_as_running_and_can_be_stopped(foreign: Environment) -> None:
    foreign.apply(PauseIteration("checkout"))
    assert foreign.shown("checkout")["currentIteration"]["status"] == "running"
    stop = {"kind": "stopIteration", "winningTreatmentId": foreign.winner("checkout", 2)}
    assert foreign.told("checkout", stop)["currentIteration"]["status"] == "stopped"


def test_naming_and_describing_leave_the_rest(foreign: Environment) -> None:
    before = foreign.catalog.experiments["checkout"].iterations
    answer = foreign.call(
        "PATCH",
        "/experiments/checkout",
        {"instructions": [{"kind": "updateName", "value": "Till"}]},
        content_type=SEMANTIC,
    )
    assert foreign.done(answer)["name"] == "Till"
    assert foreign.catalog.experiments["checkout"].iterations == before
