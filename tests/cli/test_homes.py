"""A command does on a running server what it does on a store, and prints the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import allotment
import allotment.cli.apply
import allotment.cli.rollback
from allotment.change.diff import diff
from allotment.model.catalog import Catalog
from places import Place, place_in_a_store, place_on
from serving import Server

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\+00:00")
WHO = re.compile(r"(  |\"who\": \")(root|loopback|[a-z_][\w-]*)(  \(|\")")


def edit(catalog: Path, old: str, new: str) -> None:
    text = catalog.read_text()
    assert old in text
    catalog.write_text(text.replace(old, new))


def transcript(invoke, place: Place, catalog: Path, units: Path) -> list[str]:
    """What an hour of work prints, line by line, but for names and times."""
    said: list[str] = []

    def run(*arguments: object, code: int = 0) -> None:
        result = invoke(*arguments, *place.options, code=code)
        for stream in (result.stdout, result.stderr):
            lines = stream.replace(place.name, "HOME").splitlines()
            said.extend(WHO.sub(r"\1SOMEBODY\3", TIME.sub("TIME", line)) for line in lines)

    run("plan", catalog)
    run("plan", catalog, "--json")
    run("history")
    run("apply", catalog, "--comment", "the first [try]")
    run("apply", catalog)
    edit(catalog, "control: 50, green: 50", "control: 30, green: 70")
    edit(catalog, "in: [SE, NO]", "in: [SE, NO, FI]")
    edit(catalog, "state: running", "state: running\n    enrolment: 40%")
    run("plan", catalog, "--units", units, "--unit-column", "id")
    run("apply", catalog, "--json")
    run("export")
    run("export", "--revision", 1)
    run("history")
    run("history", "--json", "--limit", 1)
    run("history", "--before", 2)
    run("explain", "banner", "user-1", "--attribute", "country=SE")
    run("assign", units, "-", "--unit-column", "id")
    run("rollback", "--to", 1)
    run("rollback", "--to", 1, "--json")
    run("rollback", "--to", 0, "--comment", "all of it", "--yes")
    run("export")
    run("history")
    run("export", "--revision", 5, code=1)
    run("rollback", "--to", 5, code=1)
    edit(catalog, "attribute: country, in: [SE, NO, FI]", "attribute: country, matches: '('")
    run("plan", catalog, code=1)
    run("apply", catalog, "--json", code=1)
    return said


def test_an_hour_of_work_prints_the_same_on_a_store_and_on_a_server(
    invoke, server: Server, catalog: Path, units: Path, tmp_path: Path
) -> None:
    original = catalog.read_text()
    on_a_store = transcript(invoke, place_in_a_store(tmp_path), catalog, units)
    catalog.write_text(original)
    on_a_server = transcript(invoke, place_on(server), catalog, units)
    assert on_a_server == on_a_store
    assert len(on_a_store) > 10_000
    assert "HOME is now at revision 1" in on_a_store
    assert "  the first [try]" in on_a_store


def test_apply_and_history_tell_old_values_and_new_as_plan_does(
    invoke, place: Place, catalog: Path
) -> None:
    edit(catalog, "experiments:", "holdouts: {q4: {share: 5%}}\nexperiments:")
    invoke("apply", catalog, *place.options)
    edit(catalog, "{share: 5%}", "{share: 7%, salt: other, unit: device}")
    edit(catalog, "state: running", "state: running\n    enrolment: 40%")
    planned = invoke("plan", catalog, *place.options).stdout
    assert planned.splitlines() == [
        "~ holdout q4: keeps out 5% -> 7% (2% of its draw is let out)",
        "~ holdout q4: replaced",
        "    salt: q4 -> other",
        "    unit: user -> device",
        "~ experiment banner: enrolment 100% -> 40% (60% of its draw is let out)",
    ]
    assert invoke("apply", catalog, *place.options).stdout == planned
    _, *told = invoke("history", "--limit", 1, *place.options).stdout.splitlines()
    assert told == [f"  {line}" for line in planned.splitlines()]


KEPT = """\
allotment: 1
flags:
  page:
    default: old
    variations: {old: {value: {new: false}}, new: {value: {new: true}}}
    kept: {auth0/parameters: {value: {new: Whether it is new}}}
    experiments: [page]
experiments:
  page:
    state: running
    started_at: "2026-02-03T04:05:06.789Z"
    treatments: {old: {control: true, sets: {page: old}}, new: {sets: {page: new}}}
    allocations: [{weights: {old: 50, new: 50}}]
    kept: {auth0/authentication_flow: mfa_challenge}
"""


def test_a_rollback_brings_back_what_was_kept_and_when_it_ran(
    invoke, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "kept.yaml"
    file.write_text(KEPT)
    invoke("apply", file, *place.options)
    before = invoke("export", *place.options).stdout
    assert "mfa_challenge" in before
    assert "2026-02-03T04:05:06.789Z" in before
    file.write_text("allotment: 1")
    invoke("apply", file, "--yes", *place.options)
    assert "mfa_challenge" not in invoke("export", *place.options).stdout
    done = invoke("rollback", "--to", 1, "--yes", *place.options)
    assert "+ experiment page" in done.stdout
    assert done.stderr == f"{place.name} is now at revision 3\n"
    assert invoke("export", *place.options).stdout == before


def test_a_rollback_changes_back_only_what_differs(invoke, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "kept.yaml"
    file.write_text(KEPT)
    invoke("apply", file, *place.options)
    before = invoke("export", *place.options).stdout
    edit(file, "mfa_challenge", "password_reset")
    edit(file, "auth0/parameters: {value: {new: Whether it is new}}", "auth0/more: 1")
    edit(file, "old: 50, new: 50", "old: 20, new: 80")
    invoke("apply", file, *place.options)
    assert set(invoke("rollback", "--to", 1, *place.options).stdout.splitlines()) == {
        "~ flag page: keeps no auth0/more",
        '~ flag page: keeps auth0/parameters {"new":"Whether it is new"}',
        '~ experiment page: keeps auth0/authentication_flow "mfa_challenge"',
        "~ experiment page: allocations everyone (old 50, new 50 of 100)",
        "page / everyone: 30% of the treatment draw moves",
    }
    assert invoke("export", *place.options).stdout == before


def test_where_there_is_nothing_to_undo_a_rollback_says_so(
    invoke, place: Place, catalog: Path
) -> None:
    invoke("apply", catalog, *place.options)
    done = invoke("rollback", "--to", 1, *place.options)
    assert done.stdout == ""
    assert "there is nothing to undo; it stays at revision 1" in done.stderr
    assert len(json.loads(invoke("history", "--json", *place.options).stdout)) == 1


def test_a_rollback_is_refused_once_somebody_changed_the_catalog_meanwhile(
    invoke, place: Place, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("apply", catalog, *place.options)
    edit(catalog, "control: 50, green: 50", "control: 30, green: 70")
    invoke("apply", catalog, *place.options)
    edit(catalog, "control: 30, green: 70", "control: 10, green: 90")

    def meanwhile(*catalogs):
        invoke("apply", catalog, *place.options)
        return diff(*catalogs)

    monkeypatch.setattr(allotment.cli.rollback, "diff", meanwhile)
    refused = invoke("rollback", "--to", 1, *place.options, code=1)
    assert "another change was made meanwhile, so nothing was undone" in refused.stderr
    assert "control: 10" in invoke("export", *place.options).stdout


@pytest.mark.parametrize("on_nothing", [False, True])
def test_a_file_is_not_applied_to_another_catalog_than_it_was_compared_with(
    invoke, place: Place, catalog: Path, monkeypatch: pytest.MonkeyPatch, on_nothing: bool
) -> None:
    if not on_nothing:
        invoke("apply", catalog, *place.options)
    other = catalog.with_name("other.yaml")
    other.write_text(catalog.read_text())
    edit(other, "control: 50, green: 50", "control: 30, green: 70")
    edit(catalog, "control: 50, green: 50", "control: 10, green: 90")
    read = allotment.cli.apply.commands_of

    def meanwhile(file: Path, base: Catalog, **options: object) -> object:
        commands = read(file, base, **options)
        if file == catalog:
            invoke("apply", other, *place.options)
        return commands

    monkeypatch.setattr(allotment.cli.apply, "commands_of", meanwhile)
    refused = invoke("apply", catalog, *place.options, code=1)
    assert "another change was made meanwhile, so nothing was applied" in refused.stderr
    assert "control: 30" in invoke("export", *place.options).stdout


def test_the_history_of_a_server_is_read_page_by_page(
    invoke, server: Server, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_on(server)
    for weight in range(5):
        edit(catalog, "allocations:", f"enrolment: {weight + 1}%\n    allocations:")
        invoke("apply", catalog, *place.options)
        edit(catalog, f"enrolment: {weight + 1}%\n    allocations:", "allocations:")
    monkeypatch.setattr("allotment.cli.remote._PAGE", 2)
    told = json.loads(invoke("history", "--json", *place.options).stdout)
    assert [entry["revision"] for entry in told] == [5, 4, 3, 2, 1]
    told = json.loads(invoke("history", "--json", "--limit", 3, *place.options).stdout)
    assert [entry["revision"] for entry in told] == [5, 4, 3]


FIRST = """\
allotment: 1
experiments:
  banner:
    state: running
    keeps_assignments: true
    treatments: {control: {control: true}, green: {}}
    allocations: [{weights: {control: 50, green: 50}}]
"""
COUNT = 2_000


# What changes in the file, and whether those keep theirs who were given it.
KEPT_BY = {
    "reweighed": ("control: 50, green: 50", "control: 100, green: 0", True),
    "paused": ("state: running", "state: paused", True),
    "ramped down": ("state: running", "state: running\n    enrolment: 0%", True),
    "kept no longer": ("keeps_assignments: true", "keeps_assignments: false", False),
}


@pytest.mark.parametrize("change", KEPT_BY)
def test_a_plan_reads_what_is_kept(invoke, place: Place, tmp_path: Path, change: str) -> None:
    """Everybody was given green: what is kept moves nobody, and to keep nothing any more moves
    those whose draw is another."""
    file, units = tmp_path / "first.yaml", tmp_path / "units.csv"
    old, new, keeping = KEPT_BY[change]
    file.write_text(FIRST)
    units.write_text("id\n" + "".join(f"{number}\n" for number in range(COUNT)))
    invoke("apply", file, *place.options)
    place.keep("banner", {str(number): "green" for number in range(COUNT)})
    edit(file, old, new)
    found = invoke("plan", file, "--units", units, "--unit-column", "id", "--json", *place.options)
    drawn = allotment.load(file).assign_many("banner", list(range(COUNT)))
    expected = 0 if keeping else drawn.names().count("control")
    assert json.loads(found.stdout)["units"] == {
        "banner": {"units": COUNT, "moved": expected, "gained": 0, "lost": 0}
    }
    assert keeping or 900 < expected < 1_100


def test_a_plan_without_a_store_knows_that_nothing_is_kept(invoke, tmp_path: Path) -> None:
    file, units = tmp_path / "first.yaml", tmp_path / "units.csv"
    file.write_text(FIRST)
    units.write_text("id\na\nb\n")
    found = invoke("plan", file, "--units", units, "--unit-column", "id", "--json")
    counted = json.loads(found.stdout)["units"]
    assert counted == {"banner": {"units": 2, "moved": 0, "gained": 2, "lost": 0}}
