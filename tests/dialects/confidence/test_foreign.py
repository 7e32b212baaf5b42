"""What was made elsewhere is shown as nearest, and stays as it is until a request names it."""

from pathlib import Path
from typing import Any

import pytest

from allotment.cli.changes import commands_of
from allotment.model.catalog import EMPTY
from tenant import BASE, Tenant, halves, node_over
from workspace import INSTANCES, Workspace, arms

CATALOG = """
allotment: 1
flags:
  bell:
    default: plain
    variations: {plain: {value: {size: 1}}, large: {value: {size: 2}}}
  button:
    default: blue
    variations: {blue: "#00f", green: "#0f0", none: null}
segments:
  nordics:
    rules: [{attribute: country, in: [SE, "NO"]}]
experiments:
  checkout:
    name: Checkout
    unit: account
    treatments:
      control: {control: true, sets: {button: blue, bell: plain}}
      green: {sets: {button: green, bell: large}}
      none: {sets: {button: none, bell: plain}}
    state: running
    audience: nordics
    enrolment: "12.5%"
    overrides: {user-9: none}
    allocations:
      - {segment: nordics, weights: {control: 1, green: 1, none: 1}, of: 3}
      - {fallback: true, weights: {control: 40, green: 60}}
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Any:
    file = tmp_path / "catalog.yaml"
    file.write_text(CATALOG)
    with node_over(tmp_path / "allotment.db") as (node, runner):
        api = Workspace(node, runner, "/v1")
        api.apply(*commands_of(file, EMPTY))
        yield api


def only(api: Workspace) -> Any:
    (one,) = api.get(INSTANCES)["abtests"]
    return one


def test_an_experiment_shows_what_this_api_can_say(foreign: Workspace) -> None:
    one = only(foreign)
    assert (one["displayName"], one["state"]) == ("Checkout", "live")
    assert one["abtest"]["flag"] == "flags/bell"
    assert [
        (arm["name"], arm["variant"], arm["weight"]) for arm in one["abtest"]["treatments"]
    ] == [
        ("control", "flags/bell/variants/plain", 3333),
        ("green", "flags/bell/variants/large", 3333),
        ("none", "flags/bell/variants/plain", 3333),
    ]
    assert one["flags"]["segment"] == "segments/nordics"
    assert one["flags"]["targetingKeySelector"] == "account"
    assert [entry["state"] for entry in one["stateHistory"]] == ["draft", "live"]


def test_what_is_sent_as_it_was_shown_changes_nothing(foreign: Workspace) -> None:
    catalog = foreign.catalog
    one = only(foreign)
    for mask in (None, "*", "abtest", "flags", "abtest.treatments,displayName"):
        assert foreign.update(one, one, mask) == one
    assert foreign.catalog == catalog


def test_a_name_is_changed_and_nothing_else(foreign: Workspace) -> None:
    one = only(foreign)
    before = foreign.catalog.experiments["checkout"]
    fingerprint = foreign.engine.snapshot.fingerprint
    foreign.update(one, {"displayName": "Till"})
    after = foreign.catalog.experiments["checkout"]
    assert (after.iterations, after.overrides) == (before.iterations, before.overrides)
    assert foreign.engine.snapshot.fingerprint == fingerprint


def test_a_clone_has_what_this_api_cannot_say_too(foreign: Workspace) -> None:
    clone = foreign.post(f"/{only(foreign)['name']}:clone", {"displayName": "Again"})
    source, new = (foreign.catalog.experiments[key] for key in ("checkout", "again"))
    assert clone["abtest"] == only_named(foreign, "Checkout")["abtest"]
    assert new.current.enrolment_ppm == source.current.enrolment_ppm == 125_000
    assert new.current.treatments == source.current.treatments
    assert [one.weights for one in new.current.allocations] == [
        one.weights for one in source.current.allocations
    ]


def only_named(api: Workspace, name: str) -> Any:
    (one,) = (one for one in api.get(INSTANCES)["abtests"] if one["displayName"] == name)
    return one


def test_an_experiment_of_auth0_is_an_instance_and_grows_through_it(tmp_path: Path) -> None:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        auth0, api = Tenant(node, runner, BASE), Workspace(node, runner, "/v1")
        flag, (control, new) = auth0.flag()
        made = auth0.experiment(flag, halves(control, new, weights=(33.5, 66.5)))
        one = only(api)
        assert (one["displayName"], one["state"]) == ("Shorter login", "draft")
        assert [arm["weight"] for arm in one["abtest"]["treatments"]] == [3350, 6650]
        assert one["flags"]["targetingKeySelector"] == "device"
        clone = api.post(f"/{one['name']}:clone", {"displayName": "Again"})
        assert [path for path, _ in api.catalog.experiments[api.key(clone)].kept] == []
        live = api.move(one, "live")
        assert auth0.get(f"/experiments/{made['id']}")["status"] == "active"
        api.update(live, {"hypothesis": {"text": "x"}})
        (whole, _) = auth0.get(f"/experiments/{made['id']}")["allocations"]
        assert whole["weight"] == 34  # its clients read whole weights
        assert api.get(f"/{live['name']}")["abtest"]["treatments"][0]["weight"] == 3350


def test_an_instance_is_an_experiment_of_auth0(tmp_path: Path) -> None:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        auth0, api = Tenant(node, runner, BASE), Workspace(node, runner, "/v1")
        api.flag()
        api.live(2500, 7500)
        (one,) = auth0.get("/experiments")["experiments"]
        assert (one["name"], one["status"]) == ("Greener button", "active")
        assert [item["weight"] for item in one["allocations"]] == [25, 75]
        assert [item["is_control"] for item in one["allocations"]] == [True, False]
        auth0.patch(f"/experiments/{one['id']}", {"status": "paused"})
        shown = only(api)
        assert shown["state"] == "paused"
        assert shown["abtest"]["treatments"] == [
            {**arm, "name": arm["variant"].rpartition("/")[2]} for arm in arms(2500, 7500)
        ]
