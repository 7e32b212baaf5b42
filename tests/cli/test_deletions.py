"""What `apply` and `rollback` delete is asked first; a plan can be kept, and a part applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.test_process import on_a_terminal
from places import Place

BOTH = """\
allotment: 1
flags:
  page:
    default: old
    variations: {old: 0, new: 1}
    experiments: [page, late]
layers:
  shop: {reservations: {page: 30%, late: 20%}}
experiments:
  page:
    state: running
    treatments: {old: {control: true, sets: {page: old}}, new: {sets: {page: new}}}
    allocations: [{weights: {old: 50, new: 50}}]
  late:
    treatments: {old: {control: true, sets: {page: old}}, new: {sets: {page: new}}}
    allocations: [{weights: {old: 50, new: 50}}]
"""
ONLY_LATE = """\
allotment: 1
flags:
  page: {default: old, variations: {old: 0, new: 1}, experiments: [late]}
layers:
  shop: {reservations: {late: 20%}}
experiments:
  late:
    treatments: {old: {control: true, sets: {page: old}}, new: {sets: {page: new}}}
    allocations: [{weights: {old: 50, new: 50}}]
"""
DELETES = "this deletes experiment page (running)"


@pytest.fixture
def both(invoke, place: Place, tmp_path: Path) -> Path:
    """A file that lacks an experiment that runs; the place has it."""
    file = tmp_path / "both.yaml"
    file.write_text(BOTH)
    invoke("apply", file, *place.options)
    file.write_text(ONLY_LATE)
    return file


def exported(invoke, place: Place) -> str:
    return invoke("export", *place.options).stdout


def test_without_a_terminal_a_deletion_is_refused_until_it_is_meant(
    invoke, place: Place, both: Path
) -> None:
    before = exported(invoke, place)
    refused = invoke("apply", both, *place.options, code=1).stderr
    ways = "say --yes if that is meant; for a catalog file --no-delete leaves them"
    assert refused == f"error: {DELETES}; {ways}\n"
    as_json = json.loads(invoke("apply", both, "--json", *place.options, code=1).stdout)
    assert as_json["error"]["message"].startswith(DELETES)
    assert exported(invoke, place) == before
    invoke("apply", both, "--yes", *place.options)
    assert "page:\n    state: running" not in exported(invoke, place)


@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (b"\x04", 1)])
def test_on_a_terminal_a_deletion_is_asked(invoke, tmp_path: Path, typed: bytes, code: int) -> None:
    store, file = str(tmp_path / "a.db"), tmp_path / "both.yaml"
    file.write_text(BOTH)
    invoke("apply", file, "--store", store)
    file.write_text(ONLY_LATE)
    ended, _, sent = on_a_terminal(["apply", str(file), "--store", store], typed)
    assert ended == code, sent
    assert DELETES.encode() in sent
    assert b"Delete? [y/N]" in sent
    assert ("state: running" in invoke("export", "--store", store).stdout) == (code == 1)


def test_what_the_file_lacks_can_be_left(invoke, place: Place, both: Path) -> None:
    before = exported(invoke, place)
    both.write_text(ONLY_LATE.replace("20%", "25%"))
    planned = invoke("plan", both, "--no-delete", *place.options).stdout
    applied = invoke("apply", both, "--no-delete", *place.options).stdout
    assert planned == applied
    assert applied.splitlines() == ["~ layer shop: 20% -> 25% for late (5% of its draw is let in)"]
    after = exported(invoke, place)
    assert "experiments: [page, late]" in after
    assert after.count("page") == before.count("page")


def test_a_part_of_a_file_is_applied_with_its_places_in_layers_and_flags(
    invoke, place: Place, both: Path
) -> None:
    both.write_text(BOTH.replace("old: 50, new: 50", "old: 20, new: 80").replace("20%", "25%"))
    lines = invoke("apply", both, "--only", "late", *place.options).stdout
    assert "experiment late" in lines
    assert "~ layer shop: 20% -> 25% for late" in lines
    assert "experiment page" not in lines
    both.write_text(ONLY_LATE)
    assert DELETES in invoke("apply", both, "--only", "page", *place.options, code=1).stderr
    lines = invoke("apply", both, "--only", "page", "--yes", *place.options).stdout
    assert "- experiment page" in lines
    assert "late" not in lines.replace("experiments late", "")
    unknown = invoke("plan", both, "--only", "lat", *place.options, code=1).stderr
    assert unknown == "error: nothing has the key 'lat'; do you mean 'late'?\n"


def test_the_exit_code_of_a_plan_says_whether_something_would_change(
    invoke, place: Place, both: Path
) -> None:
    invoke("plan", both, "--exit-code", *place.options, code=2)
    invoke("plan", both, *place.options)
    invoke("plan", both, "--exit-code", "--json", *place.options, code=2)
    both.write_text(BOTH)
    invoke("plan", both, "--exit-code", *place.options)
    both.write_text("allotment: 2")
    invoke("plan", both, "--exit-code", *place.options, code=1)


def test_a_plan_is_applied_as_it_was_shown(invoke, place: Place, both: Path) -> None:
    planned = invoke("plan", both, "--out", "plan.json", *place.options).stdout
    both.write_text("allotment: 1")  # the file has changed since; the plan has not
    assert DELETES in invoke("apply", "plan.json", *place.options, code=1).stderr
    applied = invoke("apply", "plan.json", "--yes", *place.options).stdout
    assert applied == planned
    assert "late" in exported(invoke, place)
    assert (
        "--only" in invoke("apply", "plan.json", "--only", "late", *place.options, code=64).stderr
    )


def test_a_plan_is_refused_once_the_catalog_has_moved_on(
    invoke, place: Place, both: Path, tmp_path: Path
) -> None:
    invoke("plan", both, "--out", "plan.json", *place.options)
    both.write_text(BOTH.replace("old: 50, new: 50", "old: 30, new: 70"))
    invoke("apply", both, *place.options)
    refused = invoke("apply", "plan.json", "--yes", *place.options, code=1).stderr
    assert "made for revision 1, and the catalog is another one at revision 2" in refused
    # Another store may be at the same revision, and say something else.
    other = tmp_path / "other.yaml"
    other.write_text(BOTH.replace("30%", "40%"))
    invoke("apply", other, "--store", tmp_path / "other.db")
    refused = invoke("apply", "plan.json", "--yes", "--store", tmp_path / "other.db", code=1)
    assert "the catalog is another one at revision 1" in refused.stderr


@pytest.mark.parametrize(
    "text",
    [
        '{"allotment_plan": 2, "revision": 1, "base": "", "commands": []}',
        '{"allotment_plan": 1, "commands": []}',
        '{"allotment_plan": 1, "revision": 1, "base": 5, "commands": [], "more": 1}',
    ],
)
def test_a_malformed_plan_is_refused(invoke, tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    assert "no plan that `allotment plan --out`" in invoke("apply", "plan.json", code=1).stderr


def test_one_experiment_is_rolled_back_and_the_changes_of_colleagues_stay(
    invoke, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(BOTH)
    invoke("apply", file, *place.options)
    first = exported(invoke, place)
    changed = BOTH.replace("20%", "40%").replace("30%", "35%")
    file.write_text(changed)
    invoke("apply", file, *place.options)
    file.write_text(changed.replace("old: 50, new: 50", "old: 90, new: 10"))
    invoke("apply", file, *place.options)
    done = invoke("rollback", "--experiment", "late", "--to", 1, *place.options)
    assert done.stderr.endswith("is now at revision 4\n")
    assert "~ layer shop: 40% -> 20% for late" in done.stdout
    after = exported(invoke, place)
    assert after.count("old: 90") == 1, "that of the other experiment"
    assert "35%" not in first
    again = invoke("rollback", "--experiment", "late", "--to", 1, *place.options)
    assert (
        "has experiment late as it was at revision 1, so there is nothing to undo" in again.stderr
    )
    history = invoke("history", "--limit", 1, *place.options).stdout
    assert "experiment late back to revision 1" in history
    refused = invoke("rollback", "--experiment", "nothing", "--to", 1, *place.options, code=1)
    assert refused.stderr == "error: there is no experiment 'nothing'\n"


def test_an_experiment_that_was_not_there_yet_is_deleted_by_a_rollback_that_is_meant(
    invoke, place: Place, both: Path
) -> None:
    invoke("apply", both, "--yes", *place.options)
    both.write_text(BOTH)
    invoke("apply", both, *place.options)
    back = ("rollback", "--experiment", "page", "--to", 2, *place.options)
    assert invoke(*back, code=1).stderr == f"error: {DELETES}; say --yes if that is meant\n"
    invoke(*back, "--yes")
    assert "late" in exported(invoke, place)
    assert "page: {" not in exported(invoke, place)


def tokens(invoke, place: Place) -> list[tuple[str, str, bool]]:
    listed = json.loads(invoke("token", "list", "--json", *place.options[:2]).stdout)
    return [(each["id"], each["name"], each["revoked_at"] is not None) for each in listed]


def test_without_a_terminal_a_token_is_not_revoked_until_that_is_meant(
    invoke, place: Place
) -> None:
    where = place.options[:2]  # a token is of the whole store
    made = invoke("token", "create", "--scope", "read", "--name", "shop", "--json", *where)
    own = json.loads(made.stdout)["id"]
    refused = invoke("token", "revoke", own, *where, code=1).stderr
    what = f"this revokes token {own} shop of scope read for default/production"
    assert refused == f"error: {what}; say --yes if that is meant\n"
    assert (own, "shop", False) in tokens(invoke, place)
    invoke("token", "revoke", own, "--yes", *where)
    assert (own, "shop", True) in tokens(invoke, place)


@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (b"\x04", 1)])
def test_on_a_terminal_revoking_and_adopting_are_asked(
    invoke, tmp_path: Path, typed: bytes, code: int
) -> None:
    where = ["--store", str(tmp_path / "a.db")]
    made = invoke("token", "create", "--scope", "read", "--name", "shop", "--json", *where)
    own = json.loads(made.stdout)["id"]
    ended, _, sent = on_a_terminal(["token", "revoke", own, *where], typed)
    assert ended == code, sent
    assert b"Revoke it?" in sent
    listed = json.loads(invoke("token", "list", "--json", *where).stdout)
    assert [each["revoked_at"] is not None for each in listed] == [code == 0]
    ended, _, sent = on_a_terminal(["adopt", *where], typed)
    assert ended == code, sent
    assert b"Adopt it?" in sent


def test_without_a_terminal_a_store_is_not_adopted_until_that_is_meant(
    invoke, tmp_path: Path
) -> None:
    where = ["--store", str(tmp_path / "a.db")]
    invoke("token", "create", "--scope", "read", *where)
    refused = invoke("adopt", *where, code=1).stderr
    assert "every node drops what it serves and loads this store; say --yes" in refused
    assert "is adopted" in invoke("adopt", "--yes", *where).stderr
