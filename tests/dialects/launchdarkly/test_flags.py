"""Flags of LaunchDarkly's API, as far as experiments need them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create
from allotment.dialects.launchdarkly.flag_patch import patch_feature_flag
from allotment.dialects.launchdarkly.flags import post_feature_flag
from allotment.dialects.launchdarkly.ids import id_of
from allotment.model.flag import Flag, FlagState, Variation
from allotment.server.settings import Settings
from ldproject import SEMANTIC, halves, iteration
from ldpure import Dialect
from ldwhole import STAGING, Project, instructions, project
from tenant import SPACE

FLAGS = "/flags/default"
BUTTON = f"{FLAGS}/button"
PRODUCTION = {"environmentKey": "production"}
COLOURS = [{"value": each, "name": each.title()} for each in ("red", "green", "blue")]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        yield made


@pytest.fixture
def coloured(api: Project) -> Project:
    """With a flag `button` that is red, green or blue."""
    api.flag(variations=COLOURS)
    return api


def ids(shown: Any) -> list[str]:
    return [each["_id"] for each in shown["variations"]]


def served(api: Project, space: str = SPACE, flag: str = "button") -> str:
    return str(api.engine_at(space).resolve(flag, "user-1").variation)


def test_a_flag_is_made_off_in_every_environment(api: Project) -> None:
    made = api.flag()
    assert (made["key"], made["name"], made["kind"]) == ("button", "A button", "boolean")
    assert [each["value"] for each in made["variations"]] == [True, False]
    assert ids(made) == [id_of("variation", "button", each) for each in ("true", "false")]
    assert {name: each["on"] for name, each in made["environments"].items()} == {
        "production": False,
        "staging": False,
    }
    # What a flag that is off serves is the last, as the vendor has it.
    assert made["environments"]["staging"]["offVariation"] == 1
    assert served(api) == served(api, STAGING) == "false"


def test_a_flag_that_is_made_on_serves_the_first(api: Project) -> None:
    made = api.flag(isFlagOn=True)
    assert made["environments"]["production"]["on"] is True
    assert made["environments"]["production"]["fallthrough"] == {"variation": 0}
    assert served(api) == served(api, STAGING) == "true"


@pytest.mark.parametrize(("on", "serves"), [(True, "green"), (False, "blue")])
def test_defaults_say_what_is_served(api: Project, on: bool, serves: str) -> None:
    defaults = {"onVariation": 1, "offVariation": 2}
    made = api.flag(variations=COLOURS, defaults=defaults, isFlagOn=on)
    assert made["defaults"] == defaults
    assert served(api) == serves


def test_everything_that_is_sent_comes_back(api: Project) -> None:
    own: dict[str, Any] = {
        "description": "Its colour",
        "temporary": False,
        "tags": ["one", "two"],
        "maintainerId": "12ab3c45de678910fgh12345",
        "maintainerTeamKey": "team",
        "includeInSnippet": True,
        "clientSideAvailability": {"usingEnvironmentId": True, "usingMobileKey": False},
        "customProperties": {"issue": {"name": "Issue", "value": ["1"]}},
        "purpose": "release",
        "defaults": {"onVariation": 0, "offVariation": 1},
    }
    made = api.flag(**own, variations=COLOURS)
    assert {name: made[name] for name in own} == own
    assert api.get(BUTTON) == made
    shown = [{name: each[name] for name in each if name != "_id"} for each in made["variations"]]
    assert shown == COLOURS


def test_variations_are_any_json_and_each_has_a_key(api: Project) -> None:
    values: list[Any] = [1, 1.5, "One", None, {"a": [1, {"b": None}]}, [], True]
    made = api.flag(variations=[{"value": value} for value in values])
    assert [each["value"] for each in made["variations"]] == values
    assert made["kind"] == "multivariate"
    assert len(set(ids(made))) == len(values)


@pytest.mark.parametrize(
    "more",
    [
        {"key": "a b"},
        {"name": ""},
        {"variations": []},
        {"variations": [{"value": 1}, {"value": 1.0}]},
        {"variations": [{"name": "nothing"}]},
        {"variations": [{"value": 1, "name": 7}]},
        {"defaults": {"onVariation": 0}},
        {"defaults": {"onVariation": 0, "offVariation": 2}},
        {"isFlagOn": "yes"},
        {"tags": "one"},
        {"customProperties": []},
        {"initialPrerequisites": [{"key": "other", "variationId": "x"}]},
        {"migrationSettings": {"stageCount": 6}},
    ],
)
def test_a_flag_that_cannot_be_is_refused(more: Any) -> None:
    body = {"key": "button", "name": "A button", **more}
    assert Dialect().refuses(post_feature_flag, body) == (400, "invalid_request")


def test_a_key_is_given_once(api: Project) -> None:
    api.flag()
    body = {"key": "button", "name": "Another"}
    assert api.refused("POST", FLAGS, body) == (409, "key_exists")


def test_a_switch_is_an_environments_own(coloured: Project) -> None:
    shown = coloured.told(BUTTON, "turnFlagOn", **PRODUCTION)
    on = {name: each["on"] for name, each in shown["environments"].items()}
    assert on == {"production": True, "staging": False}
    coloured.told(BUTTON, "turnFlagOn", **PRODUCTION)  # again, which is no error
    shown = coloured.told(BUTTON, "turnFlagOff", **PRODUCTION)
    assert shown["environments"]["production"]["on"] is False


@pytest.mark.parametrize(
    "kind", ["turnFlagOn", "turnFlagOff", "updateFallthroughVariationOrRollout"]
)
def test_what_is_an_environments_own_needs_its_name(coloured: Project, kind: str) -> None:
    assert coloured.fails(BUTTON, kind) == (400, "invalid_request")
    assert coloured.fails(BUTTON, kind, environmentKey="nowhere") == (404, "not_found")


def test_what_is_served_by_default_is_an_environments_own(coloured: Project) -> None:
    green = ids(coloured.get(BUTTON))[1]
    serve = {"kind": "updateFallthroughVariationOrRollout", "variationId": green}
    shown = coloured.told(BUTTON, serve, **PRODUCTION)
    assert shown["environments"]["production"]["fallthrough"] == {"variation": 1}
    assert shown["environments"]["staging"]["fallthrough"] == {"variation": 2}
    assert (served(coloured), served(coloured, STAGING)) == ("green", "blue")
    # The same off as on: a variation for off that says so is taken, another is refused.
    off = {"kind": "updateOffVariation", "variationId": green}
    assert coloured.told(BUTTON, off, **PRODUCTION) == shown
    other = {**off, "variationId": ids(shown)[0]}
    assert coloured.fails(BUTTON, other, **PRODUCTION) == (400, "invalid_request")


def test_variations_are_added_changed_and_removed_in_every_environment(coloured: Project) -> None:
    added = coloured.told(BUTTON, {"kind": "addVariation", "value": "black", "name": "Black"})
    assert [each["value"] for each in added["variations"]][3:] == ["black"]
    black = ids(added)[3]
    change = {"kind": "updateVariation", "variationId": black, "value": "#000"}
    changed = coloured.told(BUTTON, change)["variations"][3]
    assert changed == {"_id": black, "value": "#000", "name": "Black"}
    remove = {"kind": "removeVariation", "variationId": black}
    assert ids(coloured.told(BUTTON, remove)) == ids(added)[:3]
    for space in (SPACE, STAGING):
        assert len(coloured.at(space).flags["button"].variations) == 3
        assert served(coloured, space) == "blue"


def test_tags_and_what_it_is_for_are_kept(coloured: Project) -> None:
    steps = (
        {"kind": "addTags", "values": ["one", "two"]},
        {"kind": "removeTags", "values": ["one", "none"]},
        "makeFlagPermanent",
        {"kind": "updateName", "value": "Button"},
        {"kind": "updateDescription", "value": "Its colour"},
    )
    shown = coloured.told(BUTTON, *steps)
    assert (shown["tags"], shown["temporary"]) == (["two"], False)
    assert (shown["name"], shown["description"]) == ("Button", "Its colour")
    assert coloured.told(BUTTON, "makeFlagTemporary")["temporary"] is True


def test_a_flag_is_archived_everywhere_and_for_good(coloured: Project) -> None:
    assert coloured.told(BUTTON, "restoreFlag")["archived"] is False
    shown = coloured.told(BUTTON, "archiveFlag")
    assert shown["archived"] is True
    assert all(coloured.at(each).flags["button"].state is FlagState.ARCHIVED for each in SPACES)
    for kind in ("restoreFlag", "turnFlagOn"):
        assert coloured.fails(BUTTON, kind, **PRODUCTION) == (400, "invalid_request")


SPACES = (SPACE, STAGING)


@pytest.mark.parametrize(
    "step",
    [
        "addPrerequisite",
        "addTargets",
        "addRule",
        "deleteFlag",
        "makeMeCoffee",
        {"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": {"a": 100_000}},
        {"kind": "updateFallthroughVariationOrRollout", "variationId": "0" * 24},
        {"kind": "addVariation", "value": "red"},
        {"kind": "addVariation"},
        {"kind": "updateVariation", "variationId": id_of("variation", "button", "red"), "value": 1},
        {"kind": "removeVariation", "variationId": id_of("variation", "button", "blue")},
        {"kind": "updateDescription"},
        {"kind": "addTags", "values": [7]},
    ],
)
def test_what_makes_no_sense_or_is_not_there_is_refused(step: Any) -> None:
    if isinstance(step, dict) and step.get("value") == 1:
        step = {**step, "value": "green"}  # which another variation has
    dialect = Dialect()
    dialect.do(post_feature_flag, {"key": "button", "name": "A button", "variations": COLOURS})
    body = instructions(step, **PRODUCTION)
    refusal = dialect.refuses(patch_feature_flag, body, flagKey="button")
    assert refusal == (400, "invalid_request")


def test_a_flag_that_an_experiment_uses_stays(coloured: Project) -> None:
    coloured.told(BUTTON, "turnFlagOn", **PRODUCTION)
    coloured.production.running("colour")
    assert coloured.refused("DELETE", BUTTON) == (409, "conflict")
    # So does a variation of it.
    red = {"kind": "removeVariation", "variationId": id_of("variation", "button", "red")}
    assert coloured.fails(BUTTON, red) == (400, "invalid_request")


def test_a_flag_that_nobody_uses_is_deleted_everywhere(coloured: Project) -> None:
    coloured.delete(BUTTON)
    assert not any("button" in coloured.at(space).flags for space in SPACES)
    assert coloured.refused("DELETE", BUTTON) == (404, "not_found")
    assert coloured.refused("GET", BUTTON) == (404, "not_found")
    assert coloured.fails(BUTTON, "archiveFlag") == (404, "not_found")


def test_an_experiment_runs_on_a_flag_that_was_made_here(coloured: Project) -> None:
    body = {"key": "colour", "name": "Colour", "iteration": iteration(treatments=halves())}
    coloured.production.post("/experiments", body)
    assert coloured.production.fails("colour", "startIteration") == (400, "invalid_request")
    coloured.told(BUTTON, "turnFlagOn", **PRODUCTION)
    coloured.production.told("colour", "startIteration")
    assert set(coloured.given("colour")) == {"control", "green"}


@pytest.mark.parametrize("bare", [True, False])
def test_a_json_patch_says_what_an_instruction_says(coloured: Project, bare: bool) -> None:
    """The vendor's client for Python sends flags nothing else."""
    operations: list[Any] = [
        {"op": "replace", "path": "/environments/production/on", "value": True},
        {"op": "replace", "path": "/name", "value": "Button"},
        {"op": "add", "path": "/temporary", "value": False},
    ]
    body = operations if bare else {"patch": operations, "comment": "why"}
    shown = coloured.done(coloured.call("PATCH", BUTTON, body))
    assert (shown["name"], shown["temporary"]) == ("Button", False)
    on = {name: each["on"] for name, each in shown["environments"].items()}
    assert on == {"production": True, "staging": False}


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [{"op": "remove", "path": "/name"}],
        [{"op": "replace", "path": "/variations/0/value", "value": 1}],
        [{"op": "replace", "path": "/environments/production/on", "value": "yes"}],
        [{"op": "replace", "path": "/environments/nowhere", "value": True}],
        [
            {"op": "replace", "path": f"/environments/{each}/on", "value": True}
            for each in ("production", "staging")
        ],
        {"instructions": [{"kind": "archiveFlag"}]},
        {},
    ],
)
def test_a_json_patch_that_cannot_be_is_refused(coloured: Project, operations: Any) -> None:
    assert coloured.refused("PATCH", BUTTON, operations)[0] == 400


def test_a_body_that_is_no_semantic_patch_is_not_understood(coloured: Project) -> None:
    assert coloured.refused("PATCH", BUTTON, [], content_type=SEMANTIC)[0] == 422


def test_a_lenient_server_takes_patches_that_do_not_say_what_they_are(tmp_path: Path) -> None:
    with project(tmp_path, Settings(launchdarkly_lenient=True)) as api:
        api.flag()
        api.layer()
        api.holdout()
        flag = {"instructions": [{"kind": "turnFlagOn"}], **PRODUCTION}
        assert api.patch(BUTTON, flag)["environments"]["production"]["on"] is True
        name = {"instructions": [{"kind": "updateName", "name": "Front"}]}
        assert api.patch("/projects/default/layers/page", name)["name"] == "Front"
        end = {"instructions": [{"kind": "endHoldout"}]}
        assert api.production.patch("/holdouts/quarter", end)["status"] == "ended"


def test_a_list_has_what_is_asked_for(api: Project) -> None:
    for key, more in (("one", {"tags": ["a", "b"]}), ("two", {"tags": ["a"]}), ("three", {})):
        api.flag(key, **more)
    api.told(f"{FLAGS}/three", "archiveFlag")

    def keys(query: str = "") -> list[str]:
        return [each["key"] for each in api.get(f"{FLAGS}?{query}")["items"]]

    assert keys() == ["one", "two"]
    assert keys("tag=b") == ["one"]
    assert keys("filter=tags:a%2Bb") == ["one"]
    assert keys("filter=query:TW") == ["two"]
    assert keys("filter=state:archived") == keys("archived=true") == ["three"]
    assert keys("limit=1&offset=1") == ["two"]
    shown = api.get(f"{FLAGS}?limit=1&tag=a&env=staging")
    assert list(shown["items"][0]["environments"]) == ["staging"]
    assert shown["totalCount"] == 2
    following = shown["_links"]["next"]["href"].removeprefix("/api/v2")
    assert [each["key"] for each in api.get(following)["items"]] == ["two"]
    for odd in ("limit=0", "filter=name:x", "filter=state:odd", "archived=7", "sort=key"):
        assert api.refused("GET", f"{FLAGS}?{odd}") == (400, "invalid_request")


def test_a_flag_shows_the_environments_that_are_asked_for(coloured: Project) -> None:
    assert list(coloured.get(f"{BUTTON}?env=staging")["environments"]) == ["staging"]
    assert set(coloured.get(f"{BUTTON}?env=staging,production")["environments"]) == {
        "production",
        "staging",
    }


def test_a_flag_that_one_environment_alone_has_is_found_there(api: Project) -> None:
    variations = (Variation("off", "false"), Variation("on", "true"))
    api.apply(Create(Flag("lone", variations, "on", state=FlagState.ON)), space=STAGING)
    shown = api.get(f"{FLAGS}/lone")
    assert list(shown["environments"]) == ["staging"]
    assert shown["defaults"] == {"onVariation": 1, "offVariation": 1}
    assert api.told(f"{FLAGS}/lone", {"kind": "updateName", "value": "Alone"})["name"] == "Alone"
    api.delete(f"{FLAGS}/lone")
