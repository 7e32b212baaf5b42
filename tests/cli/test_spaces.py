"""Spaces: environments of a project, each with a catalog of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from places import Place
from serving import Server

CATALOG = """\
allotment: 1
flags:
  page: {default: old, variations: {old: 1, new: 2}, experiments: [page]}
experiments:
  page:
    state: running
    treatments: {old: {control: true, sets: {page: old}}, new: {sets: {page: new}}}
    allocations: [{weights: {old: 50, new: 50}}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page.yaml"
    path.write_text(CATALOG)
    return path


@pytest.fixture(params=["store", "server"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Options that lead to all spaces of a store, or of a server."""
    if request.param == "store":
        return ["--store", str(tmp_path / "store.db")]
    server: Server = request.getfixturevalue("server")
    return ["--server", server.url]


def test_a_space_gets_the_flags_of_its_project_and_then_goes_its_own_way(
    invoke, house: list[str], file: Path
) -> None:
    invoke("space", "create", "shop/production", *house)
    invoke("apply", file, "--space", "shop/production", *house)
    made = invoke("space", "create", "shop/staging", *house)
    assert made.stdout == ""
    assert made.stderr.endswith(" has the space shop/staging now\n")
    staging = invoke("export", "--space", "shop/staging", *house).stdout
    assert "page" in staging
    assert "experiments" not in staging
    file.write_text("allotment: 1")
    invoke("apply", file, "--yes", "--space", "shop/staging", *house)
    assert "50" in invoke("export", "--space", "shop/production", *house).stdout
    listed = invoke("space", "list", *house).stdout.split()
    assert {"default/production", "shop/production", "shop/staging"} <= set(listed)
    assert json.loads(invoke("space", "list", "--json", *house).stdout) == {"spaces": listed}


def test_a_space_is_made_from_the_one_that_is_named(invoke, house: list[str], file: Path) -> None:
    for name in ("app/a", "app/b"):
        invoke("space", "create", name, *house)
    invoke("apply", file, "--yes", "--space", "app/b", *house)
    invoke("space", "create", "app/c", *house)
    invoke("space", "create", "app/d", "--from", "app/b", *house)
    assert "page" not in invoke("export", "--space", "app/c", *house).stdout
    assert "page" in invoke("export", "--space", "app/d", *house).stdout


def test_a_space_that_is_there_or_copies_nothing_is_refused(invoke, house: list[str]) -> None:
    invoke("space", "create", "once/only", *house)
    assert "there is a space" in invoke("space", "create", "once/only", *house, code=1).stderr
    refused = invoke("space", "create", "more/x", "--from", "none/there", *house, code=1)
    assert "no space" in refused.stderr
    assert "more/x" not in invoke("space", "list", *house).stdout.split()
    invoke("space", "create", "no-slash", *house, code=1)


def test_what_is_done_in_a_space_is_in_its_own_history(invoke, place: Place, file: Path) -> None:
    assert invoke("history", *place.options).stdout == ""
    invoke("apply", file, *place.options, "--comment", "here")
    assert "here" in invoke("history", *place.options).stdout


def test_no_store_is_made_for_a_space_that_it_would_not_have(
    invoke, tmp_path: Path, file: Path
) -> None:
    refused = invoke("apply", file, "--space", "web/staging", code=1)
    assert "there is no store at allotment.db" in refused.stderr
    assert not (tmp_path / "allotment.db").exists()
