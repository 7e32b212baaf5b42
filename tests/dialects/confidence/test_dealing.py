"""New instances and segments that Confidence's own resolvers deal alike."""

from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create
from allotment.model.layer import Layer
from allotment.model.profile import NATIVE
from allotment.server.settings import Settings
from confidencedealing import dealt, population
from tenant import node_over
from workspace import INSTANCES, Workspace, arms

UNITS = [f"user-{number}" for number in range(3_000)]
ACCOUNT = "acme"
VENDOR = f"confidence:{ACCOUNT}"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Workspace]:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        made = Workspace(node, runner, "/v1", Settings(vendor_profiles=VENDOR))
        made.flag()
        yield made


def allocated(api: Workspace, segment: str) -> Collection[int] | None:
    sample = api.catalog.segments[segment].sample
    if sample is None:
        return None
    return set(chain.from_iterable(range(one.start, one.stop) for one in sample.ranges))


def differing(api: Workspace, index: int = 0) -> int:
    """How many units the vendor's resolver would give another variant by the rule that is shown.

    Of the treatments each has the key of its variant.
    """
    rule = api.get("/flags/button")["rules"][index]
    bits = allocated(api, rule["segment"].removeprefix("segments/"))
    key = api.catalog.flags["button"].experiments[index].experiment
    ours = {unit: api.engine.assign(key, unit).treatment for unit in UNITS}
    return sum(dealt(rule, unit, bits, ACCOUNT) != ours[unit] for unit in UNITS)


def share(proportion: str, *tags: str) -> Any:
    said = {"exclusivityTags": [*tags], "exclusiveTo": [*tags]}
    return {"allocation": {"proportion": {"value": proportion}, **said}}


def test_the_test_deals_as_the_vendor_publishes() -> None:
    assert population("confidence-test", "roug") == 567_493


@pytest.mark.parametrize("weights", [(5_000, 5_000), (1, 9_999), (3_333, 3_333), (0, 10, 7_001)])
def test_an_instance_is_dealt_by_the_id_of_a_segment_of_its_own(
    api: Workspace, weights: tuple[int, ...]
) -> None:
    instance = api.live(*weights)
    segment = instance["flags"]["segment"].removeprefix("segments/")
    assert len(segment) == 20
    assert api.get(f"/segments/{segment}")["displayName"] == "Greener button"
    current = api.catalog.experiments["greener-button"].current
    assert (current.profile, current.salt) == ("confidence-variant-1", segment)
    assert api.get("/flags/button")["rules"][0]["assignmentSpec"]["bucketCount"] == 10_000
    assert differing(api) == 0


def test_weights_that_grow_are_ranges_of_the_rule(api: Workspace) -> None:
    instance = api.live(500, 700)
    before = {unit: api.engine.assign("greener-button", unit).treatment for unit in UNITS}
    api.update(instance, {"abtest": {"treatments": arms(3_000, 5_000)}}, "abtest.treatments")
    spec = api.get("/flags/button")["rules"][0]["assignmentSpec"]
    assert [len(one["bucketRanges"]) for one in spec["assignments"]] == [2, 2]
    assert differing(api) == 0
    after = {unit: api.engine.assign("greener-button", unit).treatment for unit in UNITS}
    assert all(after[unit] == was for unit, was in before.items() if was)


def test_a_draft_draws_by_the_segment_that_it_is_given(api: Workspace) -> None:
    for key in ("swedes", "danes"):
        api.post(f"/segments?segmentId={key}", {})
    instance = api.draft(5_000, 5_000, flags={"segment": "segments/swedes"})
    assert api.catalog.experiments["greener-button"].current.salt == "swedes"
    api.update(instance, {"flags": {"segment": "segments/danes"}}, "flags.segment")
    assert api.catalog.experiments["greener-button"].current.salt == "danes"
    assert api.refused_update(instance, {"flags": {"segment": None}}, "flags.segment")[0] == 400
    api.move(instance, "live")
    assert differing(api) == 0


def test_instances_of_one_segment_deal_alike_as_the_vendors_do(api: Workspace) -> None:
    api.post("/segments?segmentId=swedes", {})
    first = api.live(5_000, 5_000, flags={"segment": "segments/swedes"})
    cloned = api.post(f"/{first['name']}:clone", {"displayName": "Again"})
    api.move(cloned, "live")
    assert cloned["flags"]["segment"] == "segments/swedes"
    assert differing(api) == differing(api, 1) == 0
    assert api.given(first) == api.given(cloned)


@pytest.mark.parametrize("tags", [(), ("search",)])
def test_shares_of_units_lie_on_the_axis_of_the_account(
    api: Workspace, tags: tuple[str, ...]
) -> None:
    state = "UNALLOCATED" if tags else "OK"
    assert api.post("/segments?segmentId=some", share("0.25", *tags))["state"] == state
    instance = api.live(4_000, 4_000, flags={"segment": "segments/some"})
    layer = api.catalog.layers["confidence"]
    assert (layer.profile, layer.salt) == ("confidence-population-1", f"MegaSalt-{ACCOUNT}")
    assert api.get("/segments/some")["state"] == ("ALLOCATED" if tags else "OK")
    assert differing(api) == 0
    before = api.given(instance)
    api.patch("/segments/some?updateMask=allocation", share("0.75", *tags))
    assert differing(api) == 0
    assert all(api.given(instance)[unit] == was for unit, was in before.items() if was)


def test_a_share_that_excludes_no_other_any_more_stays_on_the_axis(api: Workspace) -> None:
    api.post("/segments?segmentId=some", share("0.25", "search"))
    api.post("/segments/some:allocate")
    ranges = api.catalog.segments["some"].sample
    api.patch("/segments/some?updateMask=allocation", share("0.25"))
    sample = api.catalog.segments["some"].sample
    assert sample is not None
    assert ranges is not None
    assert (sample.layer, sample.ranges) == ("confidence", ranges.ranges)


def test_a_layer_from_before_is_not_taken_for_the_axis(api: Workspace) -> None:
    api.apply(Create(Layer("confidence", "")))
    assert api.refused("POST", "/segments?segmentId=some", share("0.25")) == (400, 9)
    api.post("/segments?segmentId=tagged", share("0.25", "search"))
    assert api.refused("POST", "/segments/tagged:allocate", {}) == (400, 9)


def test_an_instance_from_before_stays_dealt_as_it_was(tmp_path: Path) -> None:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        plain = Workspace(node, runner, "/v1")
        plain.flag()
        instance = plain.live(500, 500)
        assert "segment" not in instance["flags"]
        made = Workspace(node, runner, "/v1", Settings(vendor_profiles=VENDOR))
        body = {"abtest": {"treatments": arms(5_000, 5_000)}}
        made.patch(f"/{instance['name']}?updateMask=abtest.treatments", body)
        assert made.catalog.experiments["greener-button"].current.profile == NATIVE
        assert "segment" not in made.get(INSTANCES)["abtests"][0]["flags"]
