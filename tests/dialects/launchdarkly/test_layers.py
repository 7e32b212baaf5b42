"""Layers of LaunchDarkly's API: the project's, with reservations that are an environment's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Create, Reserve
from allotment.dialects.launchdarkly.layers import create_layer, update_layer
from allotment.model.catalog import Catalog
from allotment.model.layer import Layer
from allotment.model.slots import size
from ldproject import SEMANTIC, iteration
from ldpure import Dialect
from ldwhole import STAGING, Project, instructions, project, reservation
from tenant import SPACE

PAGE = "/projects/default/layers/page"
LAYERS = "/projects/default/layers"
PRODUCTION = {"environmentKey": "production"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        yield made


@pytest.fixture
def paged(api: Project) -> Project:
    """With a layer `page`, and the drafts `one` and `two` in production."""
    api.production.flag()
    api.layer()
    for key in ("one", "two"):
        api.production.experiment(key)
    return api


def shares(catalog: Catalog, layer: str = "page") -> dict[str, int]:
    """The parts of a million that each experiment has."""
    return {each.experiment: size(each.ranges) for each in catalog.layers[layer].reservations}


def test_a_layer_is_made_in_every_environment(api: Project) -> None:
    made = api.layer(description="Its top")
    assert made["key"] == "page"
    assert (made["name"], made["description"]) == ("A page", "Its top")
    assert made["randomizationUnit"] == "user"
    assert made["environments"] == {
        "production": {"reservations": []},
        "staging": {"reservations": []},
    }
    assert [key in api.at(space).layers for space in (SPACE, STAGING) for key in ("page",)]
    assert api.get(LAYERS)["items"] == [made]


def test_a_layer_may_draw_by_another_kind_of_unit(api: Project) -> None:
    assert api.layer(randomizationUnit="organization")["randomizationUnit"] == "organization"
    assert api.at(STAGING).layers["page"].unit == "organization"


@pytest.mark.parametrize("lacking", ["key", "name", "description"])
def test_a_layer_needs_a_key_a_name_and_a_description(lacking: str) -> None:
    body = {"key": "page", "name": "A page", "description": ""}
    del body[lacking]
    assert Dialect().refuses(create_layer, body) == (400, "invalid_request")


def test_a_key_is_given_once_and_is_one(api: Project) -> None:
    api.layer()
    body = {"key": "page", "name": "Another", "description": ""}
    assert api.refused("POST", LAYERS, body) == (409, "key_exists")
    assert api.refused("POST", LAYERS, {**body, "key": "a/b"}) == (400, "invalid_request")


def test_a_reservation_belongs_to_its_environment(paged: Project) -> None:
    shown = paged.reserve("one", 30)
    assert shown["environments"] == {
        "production": {
            "reservations": [
                {"experimentKey": "one", "flagKey": "button", "reservationPercent": 30}
            ]
        },
        "staging": {"reservations": []},
    }
    assert shares(paged.at(SPACE)) == {"one": 300_000}
    assert shares(paged.at(STAGING)) == {}


def test_what_is_said_of_the_layer_is_said_in_every_environment(paged: Project) -> None:
    steps = (
        {"kind": "updateName", "name": "Front"},
        {"kind": "updateDescription", "description": "The front page"},
        reservation("one", 10),
    )
    shown = paged.told(PAGE, *steps, **PRODUCTION)
    assert (shown["name"], shown["description"]) == ("Front", "The front page")
    for space in (SPACE, STAGING):
        layer = paged.at(space).layers["page"]
        assert (layer.name, layer.description) == ("Front", "The front page")
    assert shares(paged.at(STAGING)) == {}


def test_reservations_of_a_layer_share_nobody_and_grow_and_shrink(paged: Project) -> None:
    for percents in ((50, 50), (30, 50), (30, 70), (0, 70), (1, 70)):
        for key, percent in zip(("one", "two"), percents, strict=True):
            paged.reserve(key, percent)
        assert shares(paged.at(SPACE)) == {"one": percents[0] * 10_000, "two": percents[1] * 10_000}
    for key in ("one", "two"):
        paged.production.told(key, "startIteration")
    one, two = paged.given("one"), paged.given("two")
    assert not any(a and b for a, b in zip(one, two, strict=True))
    assert sum(each is not None for each in two) == pytest.approx(2_800, abs=150)


def test_more_than_the_whole_layer_is_refused(paged: Project) -> None:
    paged.reserve("one", 60)
    assert paged.fails(PAGE, reservation("two", 41), **PRODUCTION) == (400, "invalid_request")
    assert shares(paged.at(SPACE)) == {"one": 600_000}
    paged.reserve("two", 40)


def test_a_patch_is_done_whole_or_not_at_all(paged: Project) -> None:
    rename = {"kind": "updateName", "name": "Front"}
    steps = (rename, reservation("one", 60), reservation("two", 60))
    assert paged.fails(PAGE, *steps, **PRODUCTION)[0] == 400
    # What an earlier instruction frees, a later one may take.
    paged.reserve("one", 60)
    paged.told(PAGE, reservation("one", 20), reservation("two", 80), **PRODUCTION)
    assert shares(paged.at(SPACE)) == {"one": 200_000, "two": 800_000}


def test_an_experiment_leaves_the_layer_and_leaving_again_is_no_error(paged: Project) -> None:
    paged.reserve("one", 60)
    leave = {"kind": "removeExperiment", "experimentKey": "one"}
    for _ in range(2):
        shown = paged.told(PAGE, leave, **PRODUCTION)
        assert shown["environments"]["production"] == {"reservations": []}
    assert paged.at(SPACE).experiments["one"].layer is None


def test_leaving_another_layer_is_left_alone(paged: Project) -> None:
    paged.layer("other")
    paged.reserve("one", 60)
    leave = {"kind": "removeExperiment", "experimentKey": "one"}
    paged.told("/projects/default/layers/other", leave, **PRODUCTION)
    assert shares(paged.at(SPACE)) == {"one": 600_000}


@pytest.mark.parametrize(
    ("step", "status"),
    [
        (reservation("one", 101), 400),
        (reservation("one", -1), 400),
        (reservation("one", 10.5), 400),
        (reservation("one", "10"), 400),
        (reservation("nobody", 10), 404),
        ({"kind": "updateExperimentReservation", "experimentKey": "one"}, 400),
        ({"kind": "removeExperiment"}, 400),
        ({"kind": "removeExperiment", "experimentKey": "nobody"}, 404),
        ({"kind": "updateName", "value": "by another name"}, 400),
        ({"kind": "updateName", "name": ""}, 400),
        ({"kind": "deleteLayer"}, 400),
        ({}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(step: Any, status: int) -> None:
    dialect = Dialect()
    dialect.flag()
    dialect.experiment(iteration(), "one")
    dialect.do(create_layer, {"key": "page", "name": "A page", "description": ""})
    body = instructions(step, **PRODUCTION)
    assert dialect.refuses(update_layer, body, layerKey="page")[0] == status


def test_a_reservation_needs_the_environment_that_it_is_in(paged: Project) -> None:
    leave = {"kind": "removeExperiment", "experimentKey": "one"}
    for step in (reservation("one", 10), leave):
        assert paged.fails(PAGE, step) == (400, "invalid_request")
        assert paged.fails(PAGE, step, environmentKey="nowhere") == (404, "not_found")
        assert paged.fails(PAGE, step, environmentKey=7) == (400, "invalid_request")


def test_a_patch_is_a_semantic_one(paged: Project) -> None:
    body = {"instructions": [{"kind": "updateName", "name": "Front"}]}
    assert paged.refused("PATCH", PAGE, body) == (400, "invalid_request")
    for odd in ([], {"instructions": {}}, [{"op": "replace", "path": "/name", "value": "x"}]):
        assert paged.refused("PATCH", PAGE, odd, content_type=SEMANTIC)[0] == 422


def test_there_is_no_such_layer_or_project(api: Project) -> None:
    step = {"kind": "updateName", "name": "Front"}
    assert api.fails("/projects/default/layers/gone", step) == (404, "not_found")
    assert api.refused("GET", "/projects/nowhere/layers") == (404, "not_found")


def test_an_experiment_is_in_one_layer(paged: Project) -> None:
    paged.layer("other")
    paged.reserve("one", 60)
    other = "/projects/default/layers/other"
    assert paged.fails(other, reservation("one", 60), **PRODUCTION) == (400, "invalid_request")


def test_an_experiment_is_in_a_layer_or_under_a_holdout(paged: Project) -> None:
    held = paged.holdout()["_id"]
    paged.production.experiment("held", holdoutId=held)
    assert paged.fails(PAGE, reservation("held", 60), **PRODUCTION) == (400, "invalid_request")


def test_a_running_experiment_grows_and_gives_nothing_up(paged: Project) -> None:
    paged.reserve("one", 30)
    paged.production.told("one", "startIteration")
    before = paged.given("one")
    assert paged.fails(PAGE, reservation("one", 20), **PRODUCTION) == (400, "invalid_request")
    leave = {"kind": "removeExperiment", "experimentKey": "one"}
    assert paged.fails(PAGE, leave, **PRODUCTION) == (400, "invalid_request")
    paged.reserve("one", 40)
    assert all(new == old for new, old in zip(paged.given("one"), before, strict=True) if old)


def test_nothing_may_be_reserved_until_the_start(paged: Project) -> None:
    paged.reserve("one", 0)
    assert paged.production.fails("one", "startIteration") == (400, "invalid_request")
    paged.reserve("one", 1)
    paged.production.told("one", "startIteration")


def test_a_filter_finds_the_layers_of_an_experiment(paged: Project) -> None:
    paged.layer("other")
    paged.reserve("one", 30)
    found = paged.get(f"{LAYERS}?filter=reservations.experimentKey contains one")
    assert [each["key"] for each in found["items"]] == ["page"]
    assert found["totalCount"] == 1
    none = paged.get(f"{LAYERS}?filter=reservations.experimentKey contains nobody")
    assert (none["items"], none["totalCount"]) == ([], 0)
    for odd in ("name:page", "reservations.experimentKey contains", ""):
        assert paged.refused("GET", f"{LAYERS}?filter={odd}") == (400, "invalid_request")


def test_a_layer_that_another_api_made_is_shown_as_the_nearest(paged: Project) -> None:
    """Parts of a percent, and a layer that one environment alone has."""
    paged.apply(Create(Layer("lone", "")), space=STAGING)
    paged.apply(Reserve("page", "one", 5_000), Reserve("page", "two", 994_999))
    shown = {each["key"]: each for each in paged.get(LAYERS)["items"]}
    reserved = shown["page"]["environments"]["production"]["reservations"]
    assert [each["reservationPercent"] for each in reserved] == [1, 99]
    assert shown["lone"]["environments"]["production"] == {"reservations": []}
    # It is found where it is, and nothing but what a patch names is written.
    told = paged.told("/projects/default/layers/lone", {"kind": "updateName", "name": "Alone"})
    assert told["name"] == "Alone"
    paged.told(PAGE, {"kind": "updateName", "name": "Front"}, **PRODUCTION)
    assert shares(paged.at(SPACE)) == {"one": 5_000, "two": 994_999}


def test_an_answer_is_given_again_for_its_idempotency_key(paged: Project) -> None:
    body = {"key": "again", "name": "Again", "description": ""}
    first, second = (paged.call("POST", LAYERS, body, idempotency_key="a-layer") for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()


def test_a_stale_etag_changes_nothing(paged: Project) -> None:
    body = {"instructions": [{"kind": "updateName", "name": "Front"}]}
    answer = paged.call("PATCH", PAGE, body, content_type=SEMANTIC)
    stale = answer.headers["etag"]
    paged.told(PAGE, {"kind": "updateName", "name": "Back"})
    refused = paged.refused("PATCH", PAGE, body, content_type=SEMANTIC, if_match=stale)
    assert refused[0] == 412
