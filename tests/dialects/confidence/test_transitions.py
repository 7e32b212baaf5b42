"""States: what leads where, and what an instance tells of it."""

from typing import Any

import pytest

from allotment.change.commands import PauseIteration
from allotment.dialects.wire.source import read_json
from allotment.model.experiment import State
from allotment.model.instant import read_instant
from workspace import INSTANCES, Workspace, arms

STATES = ("draft", "live", "ended")


def at(api: Workspace, state: str) -> Any:
    instance = api.draft(5000, 5000)
    for step in STATES[1 : STATES.index(state) + 1]:
        instance = api.move(instance, step)
    return instance


def test_an_instance_is_drafted_goes_live_and_ends(api: Workspace) -> None:
    following = {"draft": ["live"], "live": ["paused", "ended"], "ended": []}
    states = {"draft": State.DRAFT, "live": State.RUNNING, "ended": State.STOPPED}
    for state in STATES:
        instance = at(api, state)
        assert instance["state"] == state
        assert instance["possibleTransitions"] == following[state]
        assert api.catalog.experiments[api.key(instance)].current.state is states[state]


def test_only_possible_transitions_are_made(api: Workspace) -> None:
    for state in STATES:
        instance = at(api, state)
        for target in set(STATES) - {state, *instance["possibleTransitions"]}:
            body = {"targetState": target}
            assert api.refused("POST", f"/{instance['name']}:transition", body) == (400, 9)
            assert api.get(f"/{instance['name']}") == instance


def test_a_transition_to_where_it_is_changes_nothing(api: Workspace) -> None:
    for state in STATES:
        instance = at(api, state)
        revision = api.catalog.revision
        assert api.move(instance, state) == instance
        assert api.catalog.revision == revision


def test_the_history_has_every_state_with_its_times(api: Workspace) -> None:
    ended = at(api, "ended")
    draft, live, last = ended["stateHistory"]
    assert [one["state"] for one in (draft, live, last)] == [*STATES]
    assert draft["enteredTime"] == ended["createTime"]
    assert draft["exitedTime"] == live["enteredTime"]
    assert live["exitedTime"] == last["enteredTime"]
    assert "exitedTime" not in last
    current = api.catalog.experiments[api.key(ended)].current
    assert read_instant(live["actualEnteredTime"], "$") == current.started_at
    assert read_instant(live["actualExitedTime"], "$") == current.ended_at


@pytest.mark.parametrize(
    ("treatments", "missing"),
    [
        ([], ["no-treatment", "no-allocation"]),
        (arms(0, 0), ["no-weight"]),
        (arms(6000, 5000), ["weights"]),
    ],
)
def test_checks_say_what_keeps_an_instance_from_going_live(
    api: Workspace, treatments: Any, missing: list[str]
) -> None:
    body = {"displayName": "Unready", "abtest": {"treatments": treatments}}
    made = api.post(INSTANCES, body)
    assert [one["name"].rpartition("/")[2] for one in made["checks"]] == missing
    assert all(one["message"] and one["parent"] == made["name"] for one in made["checks"])
    refused = api.refused("POST", f"/{made['name']}:transition", {"targetState": "live"})
    assert refused == (400, 9)
    ready = api.update(made, {"abtest": {"treatments": arms(5000, 5000)}})
    assert ready["checks"] == []
    assert api.move(ready, "live")["checks"] == []


def test_a_check_counts_weights_in_this_api_s_parts(api: Workspace) -> None:
    made = api.post(INSTANCES, {"displayName": "Over", "abtest": {"treatments": arms(6000, 5000)}})
    (check,) = made["checks"]
    said = "the weights sum to 11,000; they have to be 10,000 or less"
    assert check["message"] == said
    answer = api.call("POST", f"/{made['name']}:transition", {"targetState": "live"})
    assert said in answer.json()["message"]


def test_weights_below_the_whole_leave_a_gap(api: Workspace) -> None:
    live = api.live(500, 500)
    given = api.given(live)
    assert {*given.values()} == {None, "blue", "green"}
    assert list(given.values()).count(None) > 300


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"targetState": "LIVE"},
        {"targetState": None},
        {"targetState": "live", "force": True},
        [],
    ],
)
def test_a_transition_names_one_state(api: Workspace, body: Any) -> None:
    made = api.draft(5000, 5000)
    assert api.refused("POST", f"/{made['name']}:transition", body) == (400, 3)


def test_a_paused_experiment_is_paused_here_and_goes_live_again(api: Workspace) -> None:
    live = api.live(5000, 5000)
    before = api.given(live)
    api.apply(PauseIteration(api.key(live)))
    shown = api.get(f"/{live['name']}")
    assert (shown["state"], shown["possibleTransitions"]) == ("paused", ["live", "ended"])
    assert [each["state"] for each in shown["stateHistory"]] == ["draft", "live", "paused"]
    assert {*api.given(live).values()} == {None}
    assert api.move(shown, "live")["state"] == "live"
    assert api.given(live) == before
    assert api.move(live, "paused")["state"] == "paused"
    assert {*api.given(live).values()} == {None}
    ended = api.move(shown, "ended")
    assert [each["state"] for each in ended["stateHistory"]] == ["draft", "live", "ended"]


def test_pausing_the_intake_takes_nobody_new_in_and_resuming_moves_nobody(api: Workspace) -> None:
    live = api.live(5000, 5000)
    before = api.given(live)
    paused = api.update(live, {"flags": {"intakePaused": True}}, "flags.intakePaused")
    assert (paused["state"], paused["flags"]["intakePaused"]) == ("live", True)
    assert {*api.given(live).values()} == {None}
    api.update(live, {"flags": {"intakePaused": False}}, "flags.intakePaused")
    assert api.given(live) == before


def test_an_error_has_its_place_and_not_what_was_sent(api: Workspace) -> None:
    made = api.draft(5000, 5000)
    body = {"abtest": {"treatments": [{"weight": "a secret"}]}}
    answer = api.call("PATCH", f"/{made['name']}", body)
    tree: Any = read_json(answer.content)
    assert "$.abtest.treatments[0].weight" in tree["message"]
    assert "secret" not in answer.text
