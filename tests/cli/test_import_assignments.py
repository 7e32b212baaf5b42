"""`allotment import assignments`: what another platform gave is looked at, asked for, and kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

import allotment
from allotment.cli.local import Local
from allotment.cli.remote import Remote
from allotment.errors import StoreError
from cli.test_process import on_a_terminal
from places import Place

CATALOG = """\
allotment: 1
layers:
  page: {reservations: {welcome: 50%}}
experiments:
  welcome:
    state: running
    keeps_assignments: true
    treatments: {control: {control: true}, long: {}}
    allocations: [{weights: {control: 100, long: 0}}]
  signup:
    state: running
    keeps_assignments: true
    treatments: {old: {control: true}, new: {}}
    allocations: [{weights: {old: 100, new: 0}}]
  plain:
    state: running
    treatments: {old: {control: true}, new: {}}
    allocations: [{weights: {old: 50, new: 50}}]
  draft:
    keeps_assignments: true
    treatments: {old: {control: true}, new: {}}
    allocations: [{weights: {old: 50, new: 50}}]
"""

Columns = dict[str, list[object]]


@pytest.fixture
def filled(invoke, place: Place, tmp_path: Path) -> Place:
    """A place that has the catalog."""
    file = tmp_path / "catalog.yaml"
    file.write_text(CATALOG)
    invoke("apply", file, *place.options)
    return place


def engine_of(invoke, place: Place) -> allotment.Engine:
    return allotment.load(invoke("export", *place.options).stdout)


def inside(engine: allotment.Engine, wanted: bool, count: int) -> list[str]:
    """Units of the part of the layer that is `welcome`'s, or of the rest."""
    keys = (f"user-{number}" for number in range(10_000))
    found = (key for key in keys if (engine.assign("welcome", key).reason == "ALLOCATED") is wanted)
    return [next(found) for _ in range(count)]


def written(folder: Path, columns: Columns, form: str = "parquet") -> Path:
    """A file of rows; a column that is one value has it in each row."""
    rows = max(len(each) for each in columns.values())
    table = pa.table({name: each * (rows // len(each)) for name, each in columns.items()})
    path = folder / f"assignments.{form}"
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "csv":
        csv.write_csv(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    return path


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson"])
def test_what_another_platform_gave_is_kept(
    invoke, filled: Place, tmp_path: Path, form: str
) -> None:
    """Of two experiments, in more rows than one transaction takes; whole numbers are units too."""
    units = inside(engine_of(invoke, filled), True, 2)
    numbers: list[object] = list(range(12_000))
    file = written(
        tmp_path,
        {"experiment": ["signup"], "unit": numbers, "treatment": ["new", "old"], "iteration": [1]},
        form,
    )
    said = invoke("import", "assignments", file, "--yes", *filled.options)
    assert said.stdout.splitlines() == [
        "signup, iteration 1: 12,000 rows",
        "  new: 6,000",
        "  old: 6,000",
    ]
    assert f"{filled.name} keeps 12,000 more assignments\n" in said.stderr
    again = invoke("import", "assignments", file, *filled.options)
    assert "keeps 0 more assignments; 12,000 were kept already\n" in again.stderr
    file = written(
        tmp_path, {"experiment": ["welcome"], "unit": [*units], "treatment": ["long"]}, form
    )
    invoke("import", "assignments", file, "--yes", *filled.options)
    kept = json.loads(invoke("import", "assignments", file, "--json", *filled.options).stdout)
    assert kept == {
        "kept": 0,
        "already_kept": 2,
        "differing": 0,
        "experiments": [
            {
                "experiment": "welcome",
                "iteration": 1,
                "rows": {"long": 2},
                "already_kept": 2,
                "differing": 0,
            }
        ],
    }


def test_what_is_kept_already_stays_and_is_counted(invoke, filled: Place, tmp_path: Path) -> None:
    filled.keep("signup", {"a": "new", "b": "old"})
    columns: Columns = {
        "experiment": ["signup"],
        "unit": ["a", "b", "c", "c"],
        "treatment": ["new", "new", "new", "old"],
    }
    said = invoke("import", "assignments", written(tmp_path, columns), "--yes", *filled.options)
    assert "  2 of them have a treatment already, which stays;" in said.stdout.splitlines()
    assert "  1 of those another one than the file says" in said.stdout.splitlines()
    counts = "keeps 1 more assignments; 3 were kept already, 2 of them otherwise"
    assert counts in said.stderr, "the second row of c, too, meets what is kept"
    again = invoke("import", "assignments", written(tmp_path, columns), *filled.options)
    assert "keeps 0 more assignments; 4 were kept already, 2 of them otherwise" in again.stderr


def test_a_row_that_cannot_be_kept_keeps_all_out_and_each_fault_is_told(
    invoke, filled: Place, tmp_path: Path
) -> None:
    outside = inside(engine_of(invoke, filled), False, 5)
    wrong = [
        ("signup", "good", "new", 1),
        *(("welcome", unit, "long", 1) for unit in outside),
        ("signin", "a", "new", 1),
        ("signup", "a", "newer", 1),
        ("signup", "a", None, 1),
        ("signup", "", "new", 1),
        ("signup", "a", "new", 2),
        ("plain", "a", "new", 1),
        ("draft", "a", "new", 1),
        (None, "a", "new", 1),
    ]
    lies = "welcome: the unit lies outside its part of the layer, or of the sample"
    some = ", ".join(f"{outside[at]} in row {at + 2}" for at in range(3))
    names = ("experiment", "unit", "treatment", "iteration")
    columns: Columns = dict(zip(names, map(list, zip(*wrong, strict=True)), strict=True))
    file = written(tmp_path, columns)
    said = invoke("import", "assignments", file, "--yes", *filled.options, code=1).stderr
    told = said.partition("was kept. ")[2].strip().split("; ")
    assert f"nothing of {file} was kept" in said
    assert told == [
        "1 row: signup: only rows of the live iteration, 1, can be kept (a in row 11)",
        "1 row: signup: the iteration has no treatment 'newer'",
        "do you mean 'new'? (a in row 8)",
        "1 row: signup: no treatment is named (a in row 9)",
        "1 row: signup: a unit's key is text of 1 to 1,024 bytes, or a whole number (row 10)",
        f"5 rows: {lies} ({some}, ...)",
        "1 row: signin: there is no such experiment",
        "do you mean 'signup'? (a in row 7)",
        "1 row: plain: this experiment keeps no assignments",
        "say that it does first (a in row 12)",
        "1 row: draft: no iteration of this experiment runs",
        "start one first (a in row 13)",
        "1 row: no experiment is named (a in row 14)",
    ]
    only = written(tmp_path, {"experiment": ["signup"], "unit": ["good"], "treatment": ["new"]})
    assert "keeps 1 more" in invoke("import", "assignments", only, "-y", *filled.options).stderr


def test_it_is_asked_before_anything_is_kept(invoke, filled: Place, tmp_path: Path) -> None:
    file = written(tmp_path, {"experiment": ["signup"], "unit": ["a"], "treatment": ["new"]})
    for more in ((), ("--json",)):
        said = invoke("import", "assignments", file, *more, *filled.options, code=1)
        assert f"this keeps 1 assignments in {filled.name}" in said.output
        assert "say --yes" in said.output
    assert "keeps 1 more" in invoke("import", "assignments", file, "-y", *filled.options).stderr


def test_a_terminal_is_asked(run, tmp_path: Path) -> None:
    catalog, store = tmp_path / "catalog.yaml", tmp_path / "store.db"
    catalog.write_text(CATALOG)
    run("apply", catalog, "--store", store)
    file = written(tmp_path, {"experiment": ["signup"], "unit": ["a"], "treatment": ["new"]})
    command = ["import", "assignments", str(file), "--store", str(store)]
    for answer, code, words in (
        (b"n\n", 1, b"nothing was changed"),
        (b"y\n", 0, b"more assignments"),
    ):
        done, _, said = on_a_terminal(command, answer)
        assert (done, words in said) == (code, True), said


def test_a_file_that_lacks_a_column_or_has_another_type_is_refused(
    invoke, filled: Place, tmp_path: Path
) -> None:
    good: Columns = {"experiment": ["signup"], "unit": ["a"], "treatment": ["new"]}
    for columns, said in (
        ({**good, "unit": [0.5]}, "units are text or whole numbers"),
        ({**good, "treatment": [1]}, "values of the column 'treatment' are text"),
        ({**good, "iteration": ["x"]}, "the column 'iteration' holds whole numbers"),
        ({name: each for name, each in good.items() if name != "unit"}, "has no column 'unit'"),
    ):
        file = written(tmp_path, columns)
        told = invoke("import", "assignments", file, "--yes", *filled.options, code=1).stderr
        assert said in told
    told = invoke("import", "assignments", tmp_path / "no.csv", *filled.options, code=1).stderr
    assert "there is no file" in told


@pytest.mark.parametrize(
    "ended", [(KeyboardInterrupt(signal.SIGTERM), 143), (StoreError("it is away"), 1)], ids=str
)
def test_what_ends_in_the_middle_says_how_far_it_came_and_can_be_done_again(
    invoke, filled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended
) -> None:
    numbers: list[object] = list(range(12_000))
    file = written(tmp_path, {"experiment": ["signup"], "unit": numbers, "treatment": ["new"]})
    with monkeypatch.context() as patched:
        for home in (Local, Remote):
            patched.setattr(home, "keep", ends_at_the_third(home.keep, ended[0]))
        said = invoke("import", "assignments", file, "-y", *filled.options, code=ended[1]).stderr
    assert "keeps 10,000 more assignments: import the file again" in said
    assert "nothing was written" not in said
    said = invoke("import", "assignments", file, "-y", *filled.options).stderr
    assert "keeps 2,000 more assignments; 10,000 were kept already\n" in said


def ends_at_the_third(keep, error: BaseException):
    calls = iter(range(3))

    def called(self: object, rows: object) -> object:
        if next(calls) == 2:
            raise error
        return keep(self, rows)

    return called


def test_a_store_needs_nothing_of_a_server(tmp_path: Path) -> None:
    """With the extra `batch` alone."""
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    file = written(tmp_path, {"experiment": ["signup"], "unit": ["a"], "treatment": ["new"]})
    script = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('fastapi', 'starlette', 'uvicorn', 'httpx'))\n"
        "from allotment.cli.root import app\n"
        "app(['apply', 'catalog.yaml'], standalone_mode=False)\n"
        f"app(['import', 'assignments', {file.name!r}, '--yes'], standalone_mode=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "keeps 1 more assignments" in done.stderr, done.stderr
