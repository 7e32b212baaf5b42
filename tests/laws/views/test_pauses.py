"""What one API pauses it can resume, whichever API made the experiment; and each says which it is.

LaunchDarkly has no pause, and one word for an experiment that runs and for one that is paused: the
description of its rule tells them apart.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import (
    Command,
    Create,
    OrderExperiments,
    PauseIteration,
    ResumeIteration,
    SetWeights,
)
from allotment.dialects.launchdarkly.ids import id_of as hex_id
from allotment.model.assignment import Reason
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import FlagExperiment
from laws.views.world import SEMANTIC
from tenant import Vendor, vendor

AUTH0 = "/api/v2/experimentation"
UNITS = [f"user-{number}" for number in range(60)]
KEY = "some-test"
EXPERIMENTS = "/api/v2/projects/default/environments/production/experiments"

# Weights of control and new, and what is left, in parts of 10,000.
WEIGHTS = [(5_000, 5_000), (100, 0), (10_000, 0), (0, 2_000)]

Pause = Callable[[Vendor, str], None]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Vendor]:
    with vendor(tmp_path) as made:
        variants = [
            {"name": f"flags/button/variants/{each}", "value": {"shown": each}}
            for each in ("control", "new")
        ]
        made.post("/v1/flags?flagId=button", {"variants": variants})
        yield made


def by_auth0(api: Vendor, word: str) -> None:
    (one,) = api.get(f"{AUTH0}/experiments?take=50")["experiments"]
    status = {"pause": "paused", "resume": "active"}[word]
    assert api.patch(f"{AUTH0}/experiments/{one['id']}", {"status": status})["status"] == status


def by_confidence(api: Vendor, word: str) -> None:
    (one,) = api.get("/v1/workflows/abtest/instances")["abtests"]
    state = {"pause": "paused", "resume": "live"}[word]
    shown = api.post(f"/v1/{one['name']}:transition", {"targetState": state})
    assert shown["state"] == state


def by_commands(api: Vendor, word: str) -> None:
    commands: dict[str, Command] = {"pause": PauseIteration(KEY), "resume": ResumeIteration(KEY)}
    api.apply(commands[word])


WAYS: dict[str, Pause] = {
    "auth0": by_auth0,
    "confidence": by_confidence,
    "native": by_commands,
}


def made_by_auth0(api: Vendor, weights: tuple[int, int]) -> None:
    """Auth0 starts only what sums to 100: the rest is laid natively, while it runs."""
    (flag,) = api.get(f"{AUTH0}/feature-flags?take=50")["feature_flags"]
    variations = api.get(f"{AUTH0}/feature-flags/{flag['id']}/variations")["variations"]
    ids = {each["name"]: each["id"] for each in variations}
    items = [
        {"variation_id": ids[each], "weight": 50, "is_control": each == "control"}
        for each in ("control", "new")
    ]
    one = api.post(
        f"{AUTH0}/experiments",
        {
            "name": "Some test",
            "feature_flag_id": flag["id"],
            "authentication_flow": "authentication",
            "allocations": items,
        },
    )
    api.patch(f"{AUTH0}/experiments/{one['id']}", {"status": "active"})
    current = api.catalog.experiments[KEY].current
    allocation = current.allocations[0]
    parts = {t.key: w for t, w in zip(current.treatments, weights, strict=True)}
    api.apply(SetWeights(KEY, allocation.key, tuple(parts.items()), 10_000))


def made_by_confidence(api: Vendor, weights: tuple[int, int]) -> None:
    treatments = [
        {"variant": f"flags/button/variants/{each}", "weight": weight}
        for each, weight in zip(("control", "new"), weights, strict=True)
    ]
    one = api.post(
        "/v1/workflows/abtest/instances",
        {"displayName": "Some test", "abtest": {"treatments": treatments}},
    )
    api.post(f"/v1/{one['name']}:transition", {"targetState": "live"})


def made_by_launchdarkly(api: Vendor, weights: tuple[int, int]) -> None:
    treatments = [
        {
            "name": each,
            "baseline": each == "control",
            "allocationPercent": str(weight // 100),
            "parameters": [
                {"flagKey": "button", "variationId": hex_id("variation", "button", each)}
            ],
        }
        for each, weight in zip(("control", "new"), weights, strict=True)
    ]
    iteration = {
        "hypothesis": "It helps",
        "metrics": [{"key": "sales"}],
        "primarySingleMetricKey": "sales",
        "treatments": treatments,
        "flags": {"button": {"ruleId": "fallthrough", "flagConfigVersion": 1}},
    }
    api.post(EXPERIMENTS, {"name": "Some test", "key": KEY, "iteration": iteration})
    by_launchdarkly(api, {"kind": "startIteration"})


def made_by_commands(api: Vendor, weights: tuple[int, int]) -> None:
    treatments = tuple(Treatment(each, sets=(("button", each),)) for each in ("control", "new"))
    named = tuple(zip(("control", "new"), weights, strict=True))
    allocations = (Allocation("everyone", named, 10_000),)
    iteration = Iteration(1, treatments, allocations, State.RUNNING, control="control")
    listed = OrderExperiments("button", (FlagExperiment(KEY),))
    api.apply(Create(Experiment(KEY, (iteration,), "Some test")), listed)


def by_launchdarkly(api: Vendor, *instructions: Any) -> Any:
    body = {"instructions": list(instructions)}
    return api.done(api.call("PATCH", f"{EXPERIMENTS}/{KEY}", body, content_type=SEMANTIC))


MAKERS = {
    "auth0": made_by_auth0,
    "confidence": made_by_confidence,
    "launchdarkly": made_by_launchdarkly,
    "native": made_by_commands,
}


def words(api: Vendor) -> dict[str, str]:
    """What each API calls where the experiment stands."""
    current = api.get(f"{EXPERIMENTS}/{KEY}")["currentIteration"]
    described = current["flags"]["button"].get("targetingRuleDescription", "")
    return {
        "auth0": api.get(f"{AUTH0}/experiments?take=50")["experiments"][0]["status"],
        "confidence": api.get("/v1/workflows/abtest/instances")["abtests"][0]["state"],
        "launchdarkly": f"{current['status']} {described}".rstrip(),
        "native": api.get(f"/v1/catalog/experiments/{KEY}").get("state", "draft"),
    }


def given(api: Vendor) -> list[Any]:
    return [api.engine.assign(KEY, unit) for unit in UNITS]


RUNNING = {
    "auth0": "active",
    "confidence": "live",
    "launchdarkly": "running",
    "native": "running",
}
PAUSED = {
    "auth0": "paused",
    "confidence": "paused",
    "launchdarkly": "running Paused: units get no treatment until the experiment goes on.",
    "native": "paused",
}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("made", MAKERS)
def test_what_any_api_pauses_each_can_resume_and_each_says_what_assignments_do(
    api: Vendor, made: str, weights: tuple[int, int]
) -> None:
    MAKERS[made](api, weights)
    before = [(each.treatment, each.reason) for each in given(api)]
    assert words(api) == RUNNING
    for pause in WAYS.values():
        for resume in WAYS.values():
            pause(api, "pause")
            assert words(api) == PAUSED
            assert {each.reason for each in given(api)} == {Reason.PAUSED}
            resume(api, "resume")
            assert words(api) == RUNNING
            assert [(each.treatment, each.reason) for each in given(api)] == before
    assert api.catalog.experiments[KEY].current.state is State.RUNNING


def test_what_auth0_edits_while_it_is_paused_has_to_be_valid(api: Vendor) -> None:
    made_by_auth0(api, (5_000, 2_000))
    (one,) = api.get(f"{AUTH0}/experiments?take=50")["experiments"]
    path = f"{AUTH0}/experiments/{one['id']}"
    asked = ("variation_id", "is_control", "weight")
    items = [{name: item[name] for name in asked} for item in one["allocations"]]
    items[0]["weight"], items[1]["weight"] = 60, 30
    by_auth0(api, "pause")
    assert not api.patch(path, {"allocations": items})["is_valid"]
    assert api.run(api.ask("PATCH", path, {"status": "active"})).status_code == 400
    items[1]["weight"] = 40
    shown = api.patch(path, {"allocations": items, "status": "active"})
    assert (shown["status"], shown["is_valid"]) == ("active", True)
    # It is forgotten with the run: what others do next is theirs.
    assert not [name for name, _ in api.catalog.experiments[KEY].kept if "edited" in name]


def test_a_pause_that_launchdarkly_stops_or_starts_over_is_shown_no_more(api: Vendor) -> None:
    made_by_launchdarkly(api, (5_000, 5_000))
    by_confidence(api, "pause")
    winner = hex_id("treatment", KEY, "1", "new")
    shown = by_launchdarkly(api, {"kind": "stopIteration", "winningTreatmentId": winner})
    assert shown["currentIteration"]["status"] == "stopped"
    assert "targetingRuleDescription" not in shown["currentIteration"]["flags"]["button"]
