"""Instances: made, shown, cloned, deleted."""

from typing import Any

import pytest

from allotment.model.experiment import State
from workspace import INSTANCES, LINK, OUTPUT, WORKFLOW, Workspace, arms, every_field, written

REQUIRED = ("displayName", "state", "createTime", "updateTime", "creator", "updater")


@pytest.mark.parametrize("path", [INSTANCES, WORKFLOW])
def test_every_field_of_the_page_comes_back(api: Workspace, path: str) -> None:
    api.segment()
    body = every_field()
    made = api.post(path, body)
    assert written(made) == body
    assert made == api.get(f"/{made['name']}")
    assert made["state"] == "draft"


def test_every_field_of_the_page_can_be_set_later(api: Workspace) -> None:
    api.segment()
    made = api.post(INSTANCES, {"displayName": "Bare"})
    assert written(api.update(made, every_field(), "*")) == every_field()


def test_what_the_page_requires_is_always_there(api: Workspace) -> None:
    for instance in (api.post(INSTANCES, {"displayName": "Bare"}), api.live(5000, 5000)):
        assert [name for name in REQUIRED if not instance.get(name)] == []


def test_a_bare_draft_has_what_is_usual(api: Workspace) -> None:
    made = api.post(INSTANCES, {"displayName": "Bare"})
    assert made["owner"] == made["creator"]
    assert made["flags"] == {
        "targetingKeySelector": "targeting_key",
        "stickyAssignments": False,
        "ignoreTargetingForSticky": False,
        "intakePaused": False,
    }
    assert "abtest" not in made


def test_a_body_as_the_vendor_s_guide_has_it(api: Workspace) -> None:
    made = api.post(
        INSTANCES,
        {
            "displayName": "Guide",
            "flags": {"targetingKeySelector": "targeting_key"},
            "stats": {"testHorizonStrategy": "SEQUENTIAL"},
            "abtest": {"treatments": arms("5000", "5000")},
            "metrics": {"assignmentTable": "assignmentTables/a", "entity": "entities/user"},
        },
    )
    assert made["abtest"]["flag"] == made["flags"]["flag"] == "flags/button"
    assert [one["weight"] for one in made["abtest"]["treatments"]] == [5000, 5000]
    assert made["stats"] == {"testHorizonStrategy": "SEQUENTIAL"}
    (listed,) = api.catalog.flags["button"].experiments
    assert listed.experiment == api.key(made) == "guide"
    experiment = api.catalog.experiments["guide"]
    assert (experiment.unit, experiment.current.control) == ("user", "blue")


def test_what_is_told_of_an_instance_is_passed_over_in_a_body(api: Workspace) -> None:
    told = dict.fromkeys(OUTPUT, "changed")
    made = api.post(INSTANCES, {**told, "displayName": "Told"})
    assert [name for name in OUTPUT if made.get(name) == "changed"] == []
    revision = api.catalog.revision
    api.update(made, told)
    assert api.catalog.revision == revision


def test_what_is_sent_as_it_is_shown_changes_nothing(api: Workspace) -> None:
    api.segment()
    for made in (api.post(INSTANCES, every_field()), api.draft(3333, 3334, 3), api.live(1, 9999)):
        catalog = api.catalog
        for mask in (None, "*", "abtest,flags", "flags.flag,flags.segment,owner"):
            assert api.update(made, made, mask) == made
        assert api.catalog == catalog


def test_two_instances_of_one_name_have_keys_of_their_own(api: Workspace) -> None:
    made = [api.draft(5000, 5000) for _ in range(3)]
    assert [api.key(one) for one in made] == ["greener-button"] + [
        f"greener-button-{number}" for number in (2, 3)
    ]
    listed = [one.experiment for one in api.catalog.flags["button"].experiments]
    assert listed == [api.key(one) for one in made]


def test_an_instance_has_its_unit_from_its_selector(api: Workspace) -> None:
    units = {"": "user", "targeting_key": "user", "visitor.id": "visitor.id"}
    for selector, unit in units.items():
        made = api.draft(5000, 5000, flags={"targetingKeySelector": selector})
        assert api.catalog.experiments[api.key(made)].unit == unit
        assert made["flags"]["targetingKeySelector"] == (selector or "targeting_key")


def test_keeping_and_intake_are_the_experiment_s(api: Workspace) -> None:
    flags = {
        "stickyAssignments": True,
        "ignoreTargetingForSticky": True,
        "intakePaused": True,
    }
    made = api.draft(5000, 5000, flags=flags)
    experiment = api.catalog.experiments[api.key(made)]
    assert (experiment.keeps_assignments, experiment.ignore_targeting) == (True, True)
    assert not experiment.intake_open
    shown = api.update(made, {"flags": dict.fromkeys(flags, False)})
    assert shown["flags"]["stickyAssignments"] is False
    experiment = api.catalog.experiments[api.key(made)]
    assert (experiment.keeps_assignments, experiment.ignore_targeting) == (False, False)
    assert experiment.intake_open


def test_an_instance_without_a_flag_gets_one_later_and_another_after_it(api: Workspace) -> None:
    made = api.post(INSTANCES, {"displayName": "Bare"})
    api.flag(LINK)
    for flag in ("button", "link"):
        shown = api.update(made, {"abtest": {"flag": f"flags/{flag}"}})
        assert shown["abtest"]["flag"] == shown["flags"]["flag"] == f"flags/{flag}"
        listing = [one.key for one in api.catalog.flags.values() if one.experiments]
        assert listing == [flag]
    shown = api.update(made, {}, "abtest.flag,flags.flag")
    assert "flag" not in shown["flags"]
    assert not any(one.experiments for one in api.catalog.flags.values())


def test_treatments_move_to_another_flag_with_their_variants(api: Workspace) -> None:
    api.flag(LINK)
    made = api.draft(5000, 5000)
    items = [
        {**one, "variant": one["variant"].replace("button", "link")}
        for one in made["abtest"]["treatments"]
    ]
    shown = api.update(made, {"abtest": {"treatments": items}})
    assert shown["abtest"] == {"flag": "flags/link", "treatments": items}
    assert shown["flags"]["rule"] == made["flags"]["rule"].replace("button", "link")
    assert [one.key for one in api.catalog.flags.values() if one.experiments] == ["link"]


def test_a_clone_is_a_draft_that_draws_anew(api: Workspace) -> None:
    api.segment()
    source = api.post(INSTANCES, every_field())
    source = api.move(source, "live")
    clone = api.post(f"/{source['name']}:clone", {"displayName": "Again", "parameters": {}})
    assert written(clone) == {**written(source), "displayName": "Again", "flags": clone["flags"]}
    assert clone["state"] == "draft"
    old, new = (api.catalog.experiments[api.key(one)] for one in (source, clone))
    assert new.current.state is State.DRAFT
    assert new.current.salt != old.current.salt
    assert new.current.started_at is None
    listed = [one.experiment for one in api.catalog.flags["button"].experiments]
    assert listed == [old.key, new.key]


def test_a_clone_needs_no_body_and_keeps_the_name(api: Workspace) -> None:
    source = api.draft(5000, 5000)
    answer = api.send("POST", f"/{source['name']}:clone")
    assert answer.status_code == 200
    assert answer.json()["displayName"] == source["displayName"]
    assert answer.json()["name"] != source["name"]


def test_what_is_deleted_is_gone_from_its_flag_too(api: Workspace) -> None:
    draft, ended = api.draft(5000, 5000), api.move(api.live(5000, 5000), "ended")
    for instance in (draft, ended):
        api.delete(f"/{instance['name']}")
        assert api.refused("GET", f"/{instance['name']}") == (404, 5)
        assert api.refused("DELETE", f"/{instance['name']}") == (404, 5)
    assert api.catalog.flags["button"].experiments == ()


def test_a_live_instance_is_not_deleted(api: Workspace) -> None:
    live = api.live(5000, 5000)
    assert api.refused("DELETE", f"/{live['name']}") == (400, 9)
    assert api.get(f"/{live['name']}") == live


def test_a_name_of_twenty_characters_leads_to_the_experiment(api: Workspace) -> None:
    made: Any = api.draft(5000, 5000)
    workflow, kind, instances, identifier = made["name"].split("/")
    assert (workflow, kind, instances, len(identifier)) == ("workflows", "abtest", "instances", 20)
    assert api.key(made) == "greener-button"
