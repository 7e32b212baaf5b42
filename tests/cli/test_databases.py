"""A store may be a file or a database, and is named by a path or a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

import allotment
from allotment.errors import InvalidInput, StoreError
from postgres import Postgres


@pytest.fixture(params=["path", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made, as it is typed."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return server.fresh()
    file = tmp_path / "some.db"
    return str(file) if request.param == "path" else f"sqlite:///{file}"


def test_a_store_is_planned_made_and_read_wherever_it_is(invoke, store: str, catalog: Path) -> None:
    planned = invoke("plan", catalog, "--store", store)
    assert "there is no store at" in planned.stderr
    assert "there is no store" in invoke("export", "--store", store, code=1).stderr
    with pytest.raises((StoreError, FileNotFoundError)):
        allotment.load(store)
    applied = invoke("apply", catalog, "--store", store)
    assert applied.stdout == planned.stdout
    assert applied.stderr.endswith(" is now at revision 1\n")
    assert invoke("plan", catalog, "--store", store).stdout == "nothing would change\n"
    exported = catalog.with_name("exported.yaml")
    exported.write_text(invoke("export", "--store", store).stdout)
    loaded = allotment.load(store)
    assert loaded.snapshot.fingerprint == allotment.load(exported).snapshot.fingerprint
    assert "+ experiment banner" in invoke("history", "--store", store).stdout


def test_a_refused_file_lays_no_store_into_a_database(invoke, store: str, catalog: Path) -> None:
    catalog.write_text("allotment: 1\nexperiments: {x: {}}")
    invoke("apply", catalog, "--store", store, code=1)
    assert "there is no store" in invoke("export", "--store", store, code=1).stderr


def test_a_password_in_the_url_of_a_store_is_never_shown(invoke, catalog: Path) -> None:
    for url in (
        "postgresql+psycopg://ann:hunter2@127.0.0.1:1/none",
        "postgresql+psycopg://127.0.0.1:1/none?password=hunter2",
        "postgresql+psycopg://ann:hunter2@127.0.0.1:port/none",
        "mysql://ann:hunter2@127.0.0.1/none",
    ):
        for command in (["apply", catalog], ["plan", catalog], ["export"]):
            refused = invoke(*command, "--store", url, code=1)
            assert "hunter2" not in refused.output
        with pytest.raises((StoreError, InvalidInput)) as error:
            allotment.load(url)
        assert "hunter2" not in str(error.value)
