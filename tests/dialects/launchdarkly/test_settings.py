"""The experimentation settings of a project, which decide nothing and are given back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.projects import (
    get_experimentation_settings,
    put_experimentation_settings,
)
from ldpure import Dialect
from ldwhole import STAGING, Project, project
from tenant import SPACE

SETTINGS = "/projects/default/experimentation-settings"
UNITS = [
    {"randomizationUnit": "user", "default": True},
    {"randomizationUnit": "organization", "default": False},
]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path) as made:
        yield made


def test_there_are_users_until_somebody_says_otherwise() -> None:
    shown = Dialect().show(get_experimentation_settings, "", "")
    assert shown["_projectKey"] == "default"
    assert shown["_projectId"] == id_of("project", "default")
    assert shown["randomizationUnits"] == UNITS[:1]


def test_what_is_put_is_shown_whatever_the_environment(api: Project) -> None:
    put = api.done(api.call("PUT", SETTINGS, {"randomizationUnits": UNITS}))
    assert put["randomizationUnits"] == UNITS
    assert api.get(SETTINGS) == put
    for space in (SPACE, STAGING):
        assert api.done(api.call("GET", SETTINGS, allotment_space=space)) == put


def test_a_new_environment_has_the_settings_of_its_project(api: Project) -> None:
    api.done(api.call("PUT", SETTINGS, {"randomizationUnits": UNITS}))
    api.node.store.create_space("default/another", who="test", when=datetime.now(UTC))
    api.run(api.node.catch_up())
    shown = api.done(api.call("GET", SETTINGS, allotment_space="default/another"))
    assert shown["randomizationUnits"] == UNITS


def test_a_unit_is_no_default_unless_it_says_so() -> None:
    body = {"randomizationUnits": [{"randomizationUnit": "user", "standardRandomizationUnit": ""}]}
    dialect = Dialect()
    dialect.do(put_experimentation_settings, body)
    put = dialect.show(get_experimentation_settings, "", "")
    assert put["randomizationUnits"] == [{"randomizationUnit": "user", "default": False}]


@pytest.mark.parametrize(
    "units",
    [
        None,
        [],
        [{}],
        [{"randomizationUnit": ""}],
        [{"randomizationUnit": "a user"}],
        [{"randomizationUnit": "user", "default": "yes"}],
        [{"randomizationUnit": "user", "standardRandomizationUnit": 7}],
        [{"randomizationUnit": "user"}, {"randomizationUnit": "user"}],
        [{"randomizationUnit": each, "default": True} for each in ("user", "device")],
    ],
)
def test_what_makes_no_sense_is_refused(units: Any) -> None:
    body = {"randomizationUnits": units}
    refusal = Dialect().refuses(put_experimentation_settings, body)
    assert refusal == (400, "invalid_request")


def test_there_is_no_such_project(api: Project) -> None:
    nowhere = SETTINGS.replace("default", "nowhere")
    assert api.refused("GET", nowhere) == (404, "not_found")
    assert api.refused("PUT", nowhere, {"randomizationUnits": UNITS}) == (404, "not_found")
