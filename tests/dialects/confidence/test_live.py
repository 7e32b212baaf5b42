"""What may change while an instance is live, and who is moved by it."""

from typing import Any

import pytest

from allotment.change.commands import SetAllocations, SetWeights
from allotment.model.experiment import Allocation
from workspace import Workspace, arms


def weights(*parts: Any) -> dict[str, Any]:
    return {"abtest": {"treatments": arms(*parts)}}


@pytest.mark.parametrize("more", [(1000, 2000), (5000, 5000), (500, 9500), ("600", "700")])
@pytest.mark.parametrize("mask", [None, "abtest.treatments"])
def test_growing_moves_nobody_who_had_a_treatment(
    api: Workspace, more: Any, mask: str | None
) -> None:
    live = api.live(500, 600)
    before = api.given(live)
    shown = api.update(live, weights(*more), mask)
    assert [one["weight"] for one in shown["abtest"]["treatments"]] == [*map(int, more)]
    after = api.given(live)
    assert {unit: after[unit] for unit, had in before.items() if had} == {
        unit: had for unit, had in before.items() if had
    }
    assert sum(had is not None for had in after.values()) > sum(map(bool, before.values()))


@pytest.mark.parametrize("less", [(4999, 5000), (5000, 0), (6000, 4000), (0, 0), (5000, "4999")])
def test_shrinking_is_refused(api: Workspace, less: Any) -> None:
    live = api.live(5000, 5000)
    assert api.refused_update(live, weights(*less)) == (400, 9)


def test_growing_above_the_whole_is_refused(api: Workspace) -> None:
    live = api.live(5000, 5000)
    assert api.refused_update(live, weights(5000, 5001)) == (400, 9)


def test_the_structure_of_a_live_instance_stands(api: Workspace) -> None:
    api.segment()
    live = api.live(2000, 2000)
    assert "abtest" in live["lockedDataKeys"]
    for body in (
        weights(2000, 2000, 1000),
        weights(2000),
        {"abtest": {"treatments": arms(2000, 2000)[::-1]}},
        {"abtest": {"treatments": []}},
        {"flags": {"segment": "segments/nordics"}},
        {"flags": {"stickyAssignments": True}},
        {"flags": {"targetingKeySelector": "visitor"}},
    ):
        assert api.refused_update(live, body) == (400, 9), body


def test_text_can_be_edited_while_live_and_moves_nobody(api: Workspace) -> None:
    live = api.live(5000, 5000)
    before, fingerprint = api.given(live), api.engine.snapshot.fingerprint
    shown = api.update(
        live, {"displayName": "New", "hypothesis": {"text": "x"}, "owner": "users/a"}
    )
    assert (shown["displayName"], shown["owner"]) == ("New", "users/a")
    assert api.given(live) == before
    assert api.engine.snapshot.fingerprint == fingerprint


def test_a_weight_that_this_api_cannot_say_stays_until_it_is_changed(api: Workspace) -> None:
    draft = api.draft(5000, 5000)
    key = api.key(draft)
    thirds = (("blue", 1), ("green", 2))
    api.apply(SetWeights(key, "everyone", thirds, 3))
    shown = api.get(f"/{draft['name']}")
    assert [one["weight"] for one in shown["abtest"]["treatments"]] == [3333, 6667]
    api.update(shown, shown, "abtest")
    (allocation,) = api.catalog.experiments[key].current.allocations
    assert (allocation.weights, allocation.total) == (thirds, 3)
    api.update(shown, weights(3333, 6000))
    (allocation,) = api.catalog.experiments[key].current.allocations
    assert (allocation.weights, allocation.total) == ((("blue", 10_000), ("green", 18_000)), 30_000)


def test_only_the_weights_that_are_shown_are_written(api: Workspace) -> None:
    api.segment()
    draft = api.draft(5000, 5000)
    key = api.key(draft)
    nordics = Allocation("nordics", (("green", 1),), 1, "nordics", priority=1)
    rest = Allocation("rest", (("blue", 1), ("green", 1)), 2, priority=0, fallback=True)
    api.apply(SetAllocations(key, (rest, nordics)))
    shown = api.get(f"/{draft['name']}")
    assert [one["weight"] for one in shown["abtest"]["treatments"]] == [0, 10_000]
    api.update(shown, weights(2500, 7500))
    found = {one.key: one for one in api.catalog.experiments[key].current.allocations}
    assert found["nordics"].weights == (("blue", 25), ("green", 75))
    assert found["rest"].weights == rest.weights
