"""PATCH: what an updateMask names is set or cleared, and nothing else."""

from typing import Any

import pytest

from workspace import INSTANCES, MODULES, OUTPUT, OWN, Workspace, arms, every_field

# The flag stands in the names of variants again, and a selector is fixed when an instance is made.
FIXED = {("abtest", "flag"), ("flags", "flag"), ("flags", "targetingKeySelector")}
# What is shown where nothing is set.
USUAL: dict[tuple[str, ...], Any] = {
    ("owner",): "loopback",
    ("flags", "ignoreTargetingForSticky"): False,
    ("flags", "intakePaused"): False,
    ("flags", "stickyAssignments"): False,
}
PATHS = [
    *((name,) for name in OWN if name != "displayName"),
    *((module, field) for module, fields in MODULES.items() for field in fields),
]


def at(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def without(tree: Any, path: tuple[str, ...]) -> Any:
    """The writable part of an instance without one field, and without a module that has no more."""
    found = {name: value for name, value in tree.items() if name not in (*OUTPUT, path[0])}
    if len(path) == 2 and path[0] in tree:
        module = {name: value for name, value in tree[path[0]].items() if name != path[1]}
        return {**found, path[0]: module} if module else found
    return found


@pytest.fixture
def full(api: Workspace) -> Any:
    """An instance with every field of the page."""
    api.segment()
    return api.post(INSTANCES, every_field())


def test_a_masked_field_that_the_body_lacks_is_cleared(api: Workspace, full: Any) -> None:
    for path in (each for each in PATHS if each not in FIXED):
        before = api.get(f"/{full['name']}")
        shown = api.update(full, {}, ".".join(path))
        usual = USUAL.get(path)
        if path == ("flags", "rule"):
            usual = f"flags/button/rules/{full['name'].rpartition('/')[2]}"
        assert at(shown, path) == usual, path
        left = {name: value for name, value in shown.items() if name not in OUTPUT}
        assert without(left, path) == without(before, path) or path == ("abtest", "treatments")


def test_a_masked_field_is_set_and_what_else_the_body_has_is_not(api: Workspace) -> None:
    api.segment()
    body = every_field()
    made = api.post(INSTANCES, {"displayName": "Bare", "abtest": {"flag": "flags/button"}})
    for path in (each for each in PATHS if each not in FIXED):
        shown = api.update(made, body, ".".join(path))
        if path == ("abtest", "treatments"):
            assert len(at(shown, path)) == 2
        else:
            assert at(shown, path) == at(body, path), path
        assert shown["displayName"] == "Bare"


def test_without_a_mask_only_what_the_body_gives_is_set(api: Workspace, full: Any) -> None:
    body = {"decision": {"conclusion": "It works"}, "flags": {"intakePaused": False}}
    shown = api.update(full, body)
    assert shown["decision"] == {**full["decision"], "conclusion": "It works"}
    assert shown["flags"] == {**full["flags"], "intakePaused": False}
    others = (*OUTPUT, "decision", "flags")
    assert {**shown, **{name: full[name] for name in others if name in full}} == full


def test_without_a_mask_null_clears(api: Workspace, full: Any) -> None:
    shown = api.update(full, {"hypothesis": None, "stats": {"alpha": None}, "labels": None})
    assert not {"hypothesis", "labels"} & shown.keys()
    assert shown["stats"] == without(full, ("stats", "alpha"))["stats"]


def test_an_empty_mask_is_none(api: Workspace, full: Any) -> None:
    shown = api.update(full, {"hypothesis": {"text": "Greener sells"}}, "")
    assert shown["hypothesis"] == {"text": "Greener sells"}
    assert shown["stats"] == full["stats"]


def test_a_star_replaces_all_that_can_be_set(api: Workspace, full: Any) -> None:
    shown = api.update(full, {"displayName": "New", "hypothesis": {"text": "New"}}, "*")
    writable = {name: value for name, value in shown.items() if name not in OUTPUT}
    assert writable == {
        "displayName": "New",
        "owner": "loopback",
        "hypothesis": {"text": "New"},
        "flags": {
            "targetingKeySelector": "targeting_key",
            "stickyAssignments": False,
            "ignoreTargetingForSticky": False,
            "intakePaused": False,
        },
    }
    assert api.catalog.flags["button"].experiments == ()


def test_a_mask_of_a_module_replaces_the_module(api: Workspace, full: Any) -> None:
    shown = api.update(full, {"metrics": {"entity": "entities/user"}}, "metrics,report")
    assert shown["metrics"] == {"entity": "entities/user"}
    assert "report" not in shown
    assert shown["stats"] == full["stats"]


def test_a_path_may_lead_into_what_the_page_leaves_open(api: Workspace, full: Any) -> None:
    body = {"jobQueue": {"isEnabled": False}}
    shown = api.update(full, body, "jobQueue.isEnabled,planning.actual.items")
    assert shown["jobQueue"] == {**full["jobQueue"], "isEnabled": False}
    assert shown["planning"]["actual"] == {"isEnabled": True}


@pytest.mark.parametrize(
    "query",
    [
        "updateMask=flags.intakePaused,hypothesis.text",
        "updateMask=flags.intake_paused&updateMask=hypothesis.text",
        "update_mask=flags.intake_paused,hypothesis.text",
        "update_mask=flags.intakePaused&updateMask=hypothesis.text",
        "updateMask=flags.intakePaused%2Chypothesis.text",
        "updateMask.paths=flags.intakePaused&updateMask.paths=hypothesis.text",
        "update_mask.paths=flags.intake_paused&updateMask=hypothesis.text",
    ],
)
def test_a_mask_is_spelled_in_either_case_and_may_come_in_parts(
    api: Workspace, full: Any, query: str
) -> None:
    body = {"flags": {"intakePaused": False}, "hypothesis": {"text": "x"}, "owner": "no"}
    shown = api.patch(f"/{full['name']}?{query}", body)
    assert shown["flags"]["intakePaused"] is False
    assert shown["hypothesis"] == {"text": "x"}
    assert shown["owner"] == full["owner"]


@pytest.mark.parametrize(
    "mask",
    [
        *("nothing", "flags.nothing", "abtest.treatments.weight", "displayName.x", "flags..flag"),
        *("*,owner", "flags.*", "owner,", "displayname", "abtest.treatments[0]"),
        *OUTPUT,
        *("checks.name", "stateHistory.state", "owner,state"),
    ],
)
def test_a_mask_that_names_no_field_to_set_is_refused(api: Workspace, mask: str) -> None:
    made = api.draft(5000, 5000)
    body = {"displayName": "New", "state": "live"}
    assert api.refused_update(made, body, mask) == (400, 3)


def test_a_name_is_not_cleared(api: Workspace) -> None:
    made = api.draft(5000, 5000)
    for body, mask in [({}, "displayName"), ({"displayName": ""}, None), ({}, "*")]:
        assert api.refused_update(made, body, mask) == (400, 3)


def test_the_flag_is_cleared_in_both_places_or_not_at_all(api: Workspace) -> None:
    made = api.post(INSTANCES, {"displayName": "Bare", "flags": {"flag": "flags/button"}})
    assert api.update(made, {}, "abtest.flag")["abtest"] == {"flag": "flags/button"}
    assert "abtest" not in api.update(made, {}, "abtest.flag,flags.flag")


def test_a_list_of_treatments_is_replaced_whole(api: Workspace) -> None:
    made = api.draft(5000, 4000)
    items = [{**arms(5000)[0], "description": "As it is", "imageUri": "https://example.com/a"}]
    shown = api.update(made, {"abtest": {"treatments": items}}, "abtest.treatments")
    assert shown["abtest"]["treatments"] == [{**items[0], "name": "blue"}]
    shown = api.update(made, {"abtest": {"treatments": arms(1, 2, 3)}}, "abtest.treatments")
    assert [one["weight"] for one in shown["abtest"]["treatments"]] == [1, 2, 3]
    assert "description" not in shown["abtest"]["treatments"][0]


def test_an_instance_that_is_over_takes_no_change_where_it_is_locked(api: Workspace) -> None:
    made = api.move(api.live(5000, 5000), "ended")
    assert made["lockedDataKeys"] == ["abtest", "flags"]
    treatments = {"treatments": arms(1000, 1000)}
    for body, mask in [
        ({"abtest": treatments}, "abtest.treatments"),
        ({"abtest": treatments}, None),
        ({"abtest": {"rollout": "rollouts/1"}}, "abtest.rollout"),
        ({"flags": {"intakePaused": True}}, "flags.intakePaused"),
        ({"flags": {"audiences": [{}]}}, None),
        ({}, "abtest"),
        ({"displayName": "New"}, "*"),
    ]:
        assert api.refused_update(made, body, mask) == (400, 9), mask
    assert api.update(made, {"decision": {"conclusion": "Green"}})["decision"] == {
        "conclusion": "Green"
    }
