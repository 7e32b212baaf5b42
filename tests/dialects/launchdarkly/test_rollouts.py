"""New experiments that LaunchDarkly's own SDKs deal alike, and what such an SDK is told of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import (
    Command,
    Create,
    PauseIteration,
    Reserve,
    SetAudience,
    SetEnrolment,
    SetIntake,
    SetKeeping,
    SetOverrides,
    SetWeights,
    SwitchFlag,
)
from allotment.model.flag import Flag, FlagState, Variation
from allotment.model.layer import Layer
from allotment.model.profile import NATIVE
from allotment.model.segment import Segment
from allotment.server.settings import Settings
from ldproject import halves, iteration, treatment
from ldrollout import bucket, dealt, sdk_flag
from ldwhole import UNITS, Project, project
from tenant import SPACE
from vectors import OWN, vectors

PROFILE = "launchdarkly-1"
UNEVEN = [treatment("A", "12.345", "red", baseline=True), treatment("B", "33.3", "green")]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path, Settings(vendor_profiles="launchdarkly")) as made:
        made.production.flag()
        yield made


def shown(api: Project, key: str = "button") -> Any:
    return api.get(f"/flags/default/{key}")


def fallthrough(api: Project) -> Any:
    return shown(api)["environments"]["production"]["fallthrough"]


def differing(api: Project) -> int:
    """How many units an SDK that is told what the API shows would give another value."""
    told, engine = sdk_flag(shown(api)), api.engine_at(SPACE)
    return sum(dealt(told, unit) != engine.resolve("button", unit).value for unit in UNITS)


def test_the_test_deals_as_the_vendors_vectors_say() -> None:
    rows = [row for row in vectors(OWN) if row["profile"] == "launchdarkly"]
    assert len(rows) >= 200
    for row in rows:
        assert bucket(row["salt"], row["unit"]) == row["expected"], row


@pytest.mark.parametrize("treatments", [halves(), halves("10", "10"), halves("0", "1"), UNEVEN])
def test_an_sdk_that_is_told_what_is_shown_deals_as_the_server_does(
    api: Project, treatments: Any
) -> None:
    api.production.running(treatments=treatments, canReshuffleTraffic=True)
    rollout = fallthrough(api)["rollout"]
    current = api.at(SPACE).experiments["colour"].current
    assert (current.profile, current.salt) == (PROFILE, str(rollout["seed"]))
    assert 1 <= rollout["seed"] < 2**31
    assert rollout["contextKind"] == "user"
    assert rollout["experimentAllocation"] == {"defaultVariation": 0, "canReshuffle": True}
    assert sum(one["weight"] for one in rollout["variations"]) == 100_000
    assert differing(api) == 0


def test_units_that_stay_are_told_as_parts_of_a_rollout(api: Project) -> None:
    api.production.running(treatments=halves("10", "10"))
    seed = fallthrough(api)["rollout"]["seed"]
    grown = iteration(treatments=halves("30", "50"), canReshuffleTraffic=False)
    api.production.post("/experiments/colour/iterations", grown)
    restart = {"kind": "startIteration", "changeJustification": "no harm was done"}
    api.production.told("colour", restart)
    rollout = fallthrough(api)["rollout"]
    assert rollout["seed"] == seed
    assert len(rollout["variations"]) > 3
    assert differing(api) == 0


def test_units_that_are_dealt_afresh_have_another_seed(api: Project) -> None:
    api.production.running()
    seed = fallthrough(api)["rollout"]["seed"]
    api.production.post("/experiments/colour/iterations", iteration(canReshuffleTraffic=True))
    api.production.told("colour", {"kind": "startIteration", "changeJustification": "again"})
    assert fallthrough(api)["rollout"]["seed"] != seed
    assert differing(api) == 0


def test_a_draft_keeps_its_seed_while_it_is_edited(api: Project) -> None:
    api.production.experiment()
    salt = api.at(SPACE).experiments["colour"].current.salt
    api.production.post("/experiments/colour/iterations", iteration(treatments=UNEVEN))
    assert api.at(SPACE).experiments["colour"].current.salt == salt


def test_a_percentage_that_an_sdk_cannot_be_told_is_refused(api: Project) -> None:
    finer = iteration(treatments=halves("12.3456", "50"))
    body = {"key": "colour", "name": "Colour", "iteration": finer}
    assert api.production.refused("POST", "/experiments", body) == (400, "invalid_request")
    api.production.experiment()
    assert api.production.refused("POST", "/experiments/colour/iterations", finer)[0] == 400


FOREIGN: list[tuple[Command, ...]] = [
    (PauseIteration("colour"),),
    (SetEnrolment("colour", 500_000),),
    (SetOverrides("colour", (("user-1", "green"),)),),
    (SetKeeping("colour", True, False),),
    (SetIntake("colour", False),),
    (Create(Layer("page", "")), Reserve("page", "colour", 500_000)),
    (SetWeights("colour", "everyone", (("control", 1), ("green", 2)), 3),),
]


@pytest.mark.parametrize("commands", FOREIGN, ids=lambda commands: type(commands[-1]).__name__)
def test_what_no_rollout_says_is_shown_as_the_default(
    api: Project, commands: tuple[Command, ...]
) -> None:
    api.production.running()
    assert "rollout" in fallthrough(api)
    api.production.apply(*commands)
    assert fallthrough(api) == {"variation": 0}


def test_an_audience_is_nothing_that_a_rollout_says(api: Project) -> None:
    api.production.experiment()
    api.production.apply(Create(Segment("staff")), SetAudience("colour", "staff"))
    api.production.told("colour", "startIteration")
    assert fallthrough(api) == {"variation": 0}


def test_another_flag_that_is_off_ends_the_experiment_for_this_one(api: Project) -> None:
    other = Flag("link", (Variation("red", '"red"'),), "red", state=FlagState.ON)
    api.production.apply(Create(other))
    both = [
        {
            **one,
            "parameters": [*one["parameters"], *treatment("", "0", "red", "link")["parameters"]],
        }
        for one in halves()
    ]
    flags = {key: {"ruleId": "fallthrough", "flagConfigVersion": 1} for key in ("button", "link")}
    api.production.running(treatments=both, flags=flags)
    assert differing(api) == 0
    assert "rollout" in fallthrough(api)
    api.production.apply(SwitchFlag("link", FlagState.OFF))
    assert fallthrough(api) == {"variation": 0}
    assert differing(api) == 0


def test_a_flag_that_is_off_serves_its_off_variation(api: Project) -> None:
    api.production.running()
    api.production.apply(SwitchFlag("button", FlagState.OFF))
    assert "rollout" in fallthrough(api)
    assert differing(api) == 0


def test_without_the_setting_experiments_are_ours(tmp_path: Path) -> None:
    with project(tmp_path) as made:
        made.production.flag()
        made.production.running(treatments=halves("12.3456", "50"))
        assert made.at(SPACE).experiments["colour"].current.profile == NATIVE
        assert fallthrough(made) == {"variation": 0}
