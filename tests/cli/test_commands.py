"""What each command does, on real files and stores."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import allotment
from allotment.store import Store
from faults.mounts import read_only


def test_a_plan_from_nothing_creates_everything(invoke, catalog: Path, tmp_path: Path) -> None:
    result = invoke("plan", catalog)
    assert "+ segment nordics" in result.stdout
    assert "+ experiment banner" in result.stdout
    assert not (tmp_path / "allotment.db").exists()


def test_after_apply_the_plan_is_empty(invoke, catalog: Path) -> None:
    invoke("apply", catalog)
    assert invoke("plan", catalog).stdout == "nothing would change\n"
    assert json.loads(invoke("plan", catalog, "--json").stdout) == {
        "commands": [],
        "moves": [],
        "units": {},
    }
    assert "already as the file says, at revision 1" in invoke("apply", catalog).stderr


def test_a_plan_says_which_share_of_each_allocation_would_move(invoke, catalog: Path) -> None:
    invoke("apply", catalog)
    catalog.write_text(
        catalog.read_text().replace("control: 50, green: 50", "control: 30, green: 70")
    )
    lines = invoke("plan", catalog).stdout.splitlines()
    assert lines == [
        "~ experiment banner / nordics: control 30, green 70 of 100",
        "banner / nordics: 20% of the treatment draw moves",
    ]


def test_a_plan_counts_the_real_units_that_would_move(invoke, catalog: Path, units: Path) -> None:
    invoke("apply", catalog)
    before = allotment.load(catalog)
    catalog.write_text(
        catalog.read_text().replace("control: 50, green: 50", "control: 30, green: 70")
    )
    plan = invoke("plan", catalog, "--units", units, "--unit-column", "id", "--json")
    counted = json.loads(plan.stdout)["units"]["banner"]
    invoke("apply", catalog)
    after = load_store()
    rows = pq.read_table(units).to_pylist()
    moved = sum(
        before.assign("banner", row["id"], row).treatment
        != after.assign("banner", row["id"], row).treatment
        for row in rows
    )
    assert counted == {"units": len(rows), "moved": moved, "gained": 0, "lost": 0}
    assert 800 < moved < 1_200  # a fifth of the nordic half


def load_store() -> allotment.Engine:
    with Store.open("allotment.db", create=False) as store:
        return allotment.load(store)


def test_a_plan_counts_units_that_would_gain_and_lose_a_treatment(invoke, catalog, units) -> None:
    invoke("apply", catalog)
    text = catalog.read_text()
    catalog.write_text(text.replace("    state: running", "    state: running\n    enrolment: 50%"))
    lost = invoke("plan", catalog, "--units", units, "--unit-column", "id", "--json")
    count = json.loads(lost.stdout)["units"]["banner"]
    assert count["moved"] == count["gained"] == 0
    assert 4_700 < count["lost"] < 5_300
    catalog.write_text(text.replace("banner:", "header:"))
    other = invoke("plan", catalog, "--units", units, "--unit-column", "id", "--json")
    counts = json.loads(other.stdout)["units"]
    assert counts["banner"]["lost"] == counts["header"]["gained"] == 10_000


def test_three_weight_changes_then_export_and_load_move_no_unit(invoke, catalog, units) -> None:
    text = catalog.read_text()
    for control in (50, 33.5, 62, 41):
        weights = f"control: {control}, green: {100 - control}"
        catalog.write_text(text.replace("control: 50, green: 50", weights))
        invoke("apply", catalog)
    exported = catalog.with_name("exported.yaml")
    exported.write_text(invoke("export").stdout)
    stored, loaded = load_store(), allotment.load(exported)
    assert stored.catalog.revision == 4
    assert loaded.snapshot.fingerprint == stored.snapshot.fingerprint
    rows = pq.read_table(units)
    kept = stored.assign_many("banner", rows["id"], rows)
    again = loaded.assign_many("banner", rows["id"], rows)
    assert (kept.codes == again.codes).all()
    assert (kept.reasons == again.reasons).all()
    assert invoke("plan", exported).stdout == "nothing would change\n"
    assert invoke("plan", catalog).stdout == "nothing would change\n"
    # The hand-written file alone lays its slots afresh: that is why exports carry them.
    assert allotment.load(catalog).snapshot.fingerprint != stored.snapshot.fingerprint


def test_any_revision_can_be_exported(invoke, catalog: Path) -> None:
    invoke("apply", catalog)
    first = invoke("export").stdout
    catalog.write_text(
        catalog.read_text().replace("control: 50, green: 50", "control: 1, green: 99")
    )
    invoke("apply", catalog)
    assert invoke("export", "--revision", 1).stdout == first
    assert invoke("export").stdout != first
    assert "0 to 2" in invoke("export", "--revision", 3, code=1).stderr


def test_a_refused_file_makes_no_store(invoke, catalog: Path, tmp_path: Path) -> None:
    catalog.write_text("allotment: 1\nexperiments: {x: {}}")
    invoke("apply", catalog, code=1)
    assert list(tmp_path.iterdir()) == [catalog]


def test_a_refused_file_leaves_the_store_as_it_was(invoke, catalog: Path) -> None:
    invoke("apply", catalog)
    before = invoke("export").stdout
    catalog.write_text(
        catalog.read_text().replace("country, in: [SE, NO]", "country, matches: '('")
    )
    result = invoke("apply", catalog, code=1)
    assert "$.segments.nordics.rules[0]" in result.stderr
    assert invoke("export").stdout == before


def test_history_tells_who_did_what_and_why(invoke, catalog: Path) -> None:
    invoke("apply", catalog, "--who", "ann", "--comment", "first [draft]")
    catalog.write_text(
        catalog.read_text().replace("control: 50, green: 50", "control: 49, green: 51")
    )
    invoke("apply", catalog, "--who", "bob")
    lines = invoke("history").stdout.splitlines()
    assert lines[0].startswith("revision 2 ")
    assert "bob" in lines[0]
    assert "  banner / nordics: 1% of the treatment draw moves" in lines
    assert "  first [draft]" in lines
    newest, oldest = json.loads(invoke("history", "--json").stdout)
    assert (newest["who"], oldest["who"], oldest["comment"]) == ("bob", "ann", "first [draft]")
    assert newest["moves"][0]["moved_ppm"] == 10_000
    assert len(json.loads(invoke("history", "--json", "--limit", 1).stdout)) == 1
    assert json.loads(invoke("history", "--json", "--before", 2).stdout) == [oldest]


def test_an_account_without_a_name_is_called_by_its_number(invoke, catalog, monkeypatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    invoke("apply", catalog)
    (entry,) = json.loads(invoke("history", "--json").stdout)
    assert entry["who"] == str(os.getuid())


@pytest.mark.parametrize("command", [["export"], ["history"], ["explain", "banner", "u"]])
def test_a_missing_store_is_refused_and_not_made(invoke, tmp_path: Path, command) -> None:
    result = invoke(*command, "--store", "none.db", code=1)
    assert "no store at none.db" in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_the_store_can_be_named_by_the_environment(invoke, catalog, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ALLOTMENT_STORE", "elsewhere.db")
    invoke("apply", catalog)
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "allotment.db").exists()


def test_validate_counts_what_the_catalog_holds(invoke, catalog: Path) -> None:
    assert "0 flags, 1 segment, 0 layers" in invoke("validate", catalog).stdout
    assert json.loads(invoke("validate", catalog, "--json").stdout) == {
        "valid": True,
        "flags": 0,
        "segments": 1,
        "layers": 0,
        "holdouts": 0,
        "experiments": 1,
    }
    catalog.write_text("allotment: 1\nsegments: {x: {rules: [{segment: x}]}}")
    told = json.loads(invoke("validate", catalog, "--json", code=1).stdout)
    assert told["valid"] is False
    assert told["error"]["path"].startswith("$.segments.x")
    assert "no file" in invoke("validate", "none.yaml", code=1).stderr


def test_explain_draws_every_check(invoke, catalog: Path) -> None:
    result = invoke(
        "explain", "banner", "user-1", "--attribute", "country=SE", "--catalog", catalog
    )
    assert "ALLOCATED" in result.stdout
    assert "◀" in result.stdout
    told = json.loads(
        invoke(
            "explain", "banner", "user-1", "--attributes", '{"country": "SE"}',
            "--catalog", catalog, "--json",
        ).stdout
    )  # fmt: skip
    answer = allotment.load(catalog).assign("banner", "user-1", {"country": "SE"})
    assert (told["treatment"], told["reason"]) == (answer.treatment, answer.reason)
    (decided,) = [check for check in told["checks"] if check["decided"]]
    assert decided["bucket"] == int(decided["draw"], 16) * 1_000_000 >> 64


def test_assign_writes_what_a_single_call_answers(invoke, catalog: Path, units: Path) -> None:
    out = units.with_name("out.parquet")
    invoke("assign", units, out, "--catalog", catalog, "--unit-column", "id", "--threads", 2)
    engine = allotment.load(catalog)
    rows, written = pq.read_table(units).to_pylist(), pq.read_table(out).to_pylist()
    for row, got in zip(rows, written, strict=True):
        answer = engine.assign("banner", row["id"], row)
        assert got == {
            "id": row["id"],
            "banner": answer.treatment,
            "banner.reason": answer.reason,
        }


@pytest.mark.parametrize(
    ("column", "held"),
    [([7, 8], "numbers"), ([True, None], "truth values"), ([[7], []], "numbers"),
     (pa.array([7, 8]).dictionary_encode(), "numbers"), (["SE", "DE"], None), ([None] * 2, None)],
)  # fmt: skip
def test_a_column_of_a_type_it_is_never_compared_with_gets_a_note_before_the_run(
    invoke, catalog: Path, units: Path, column: object, held: str | None
) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "country": column}), units)
    out = units.with_name("out.csv")
    told = invoke("assign", units, out, "--catalog", catalog, "--unit-column", "id").output
    note = f"note: column 'country' holds {held}, and the condition country in 'SE'"
    assert (note in told) == (held is not None), told
    assert ("it holds for no unit" in told) == (held is not None)


def test_the_summary_counts_what_was_written_and_checks_each_allocation(
    invoke, catalog: Path, units: Path
) -> None:
    out = units.with_name("out.parquet")
    result = invoke("assign", units, out, "--catalog", catalog, "--unit-column", "id", "--json")
    told = json.loads(result.stdout)["banner"]
    written = pq.read_table(out).to_pylist()
    for outcome in told["outcomes"]:
        assert outcome["units"] == sum(
            (row["banner"], row["banner.reason"]) == (outcome["treatment"], outcome["reason"])
            for row in written
        )
    nordics, fallback = told["sample_ratio"]["nordics"], told["sample_ratio"]["fallback"]
    assert nordics["buckets"] == {"control": 500_000, "green": 500_000}
    assert fallback["buckets"] == {"control": 900_000, "green": 100_000}
    assert sum(nordics["units"].values()) == 5_000
    assert sum(fallback["units"].values()) == 4_999  # user-7 is overridden
    assert not nordics["alarm"]
    assert not fallback["alarm"]


def test_the_summary_is_drawn_with_bars(invoke, catalog: Path, units: Path) -> None:
    out = units.with_name("out.csv")
    shown = invoke("assign", units, out, "--catalog", catalog, "--unit-column", "id").stdout
    assert "banner, 10,000 units" in shown
    assert "██████" in shown
    assert "as expected" in shown
    quiet = invoke(
        "assign", units, out, "--catalog", catalog, "--unit-column", "id", "--no-summary"
    )
    assert quiet.stdout == ""


def test_a_missing_attribute_column_is_noted(invoke, catalog: Path, units: Path) -> None:
    text = catalog.read_text().replace("attribute: country", "attribute: land")
    catalog.write_text(text)
    out = units.with_name("out.csv")
    result = invoke("assign", units, out, "--catalog", catalog, "--unit-column", "id")
    assert "no column 'land'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["units.parquet", "out.csv", "--experiment", "none", "--unit-column", "id"], "'none'"),
        (["units.parquet", "out.csv", "--unit-column", "key"], "no column 'key'"),
        (["units.parquet", "units.parquet", "--unit-column", "id"], "overwrite"),
        (["none.parquet", "out.csv", "--unit-column", "id"], "no file"),
        (["units.parquet", "out", "--unit-column", "id"], "does not tell its form"),
        (["units.parquet", "out.csv", "--unit-column", "device=id"], "kinds user"),
        (["units.parquet", "no/out.csv", "--unit-column", "id"], "cannot be written"),
    ],
)
@pytest.mark.usefixtures("units")
def test_what_cannot_be_assigned_is_refused_and_nothing_is_written(
    invoke, catalog: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    before = sorted(tmp_path.iterdir())
    result = invoke("assign", *arguments, "--catalog", catalog, code=1)
    assert said in result.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["assign", "units.parquet", "out.csv"],
        ["assign", "units.parquet", "out.csv", "--unit-column", "id", "--format", "xls"],
        ["assign", "units.parquet", "out.csv", "--unit-column", "id", "--unit-column", "x"],
        ["plan", "catalog.yaml", "--units", "units.parquet"],
        ["history", "--limit", "0"],
    ],
)
@pytest.mark.usefixtures("catalog", "units")
def test_a_misused_option_is_a_usage_error(invoke, arguments: list[str]) -> None:
    invoke(*arguments, code=64)


@pytest.mark.usefixtures("units")
@pytest.mark.parametrize(
    "arguments",
    [
        ["assign", "units.parquet", "out.csv", "--unit-column", "key", "--catalog", "catalog.yaml"],
        ["explain", "none", "u", "--catalog", "catalog.yaml"],
        ["plan", "none.yaml"],
        ["apply", "none.yaml"],
        ["history", "--store", "none.db"],
        ["validate", "none.yaml"],
    ],
)
def test_under_json_an_error_is_an_object_on_standard_output(
    invoke, catalog: Path, arguments: list[str]
) -> None:
    result = invoke(*arguments, "--json", code=1)
    assert json.loads(result.stdout)["error"].keys() == {"message", "path"}
    assert result.stderr == ""


def test_under_json_standard_error_holds_only_the_json_if_the_data_has_standard_output(
    invoke, catalog: Path, units: Path
) -> None:
    catalog.write_text(catalog.read_text().replace("attribute: country", "attribute: land"))
    arguments = ["assign", units, "-", "--catalog", catalog, "--json", "--unit-column"]
    done = invoke(*arguments, "id")
    assert json.loads(done.stderr).keys() == {"banner"}
    assert len(done.stdout.splitlines()) == 10_000
    refused = invoke(*arguments, "key", code=1)
    assert "no column 'key'" in json.loads(refused.stderr)["error"]["message"]
    assert refused.stdout == ""


def test_a_kind_of_unit_that_does_not_exist_is_refused(invoke, catalog: Path, units: Path) -> None:
    columns = ["--unit-column", "user=id", "--unit-column", "usr=id"]
    result = invoke("assign", units, "-", "--catalog", catalog, *columns, code=1)
    assert "kind 'usr': there are the kinds user" in result.stderr
    assert "'usr'" in invoke("plan", catalog, "--units", units, *columns, code=1).stderr


def test_assign_says_how_many_rows_it_wrote_and_where(invoke, catalog: Path, units: Path) -> None:
    arguments = ["--catalog", catalog, "--unit-column", "id"]
    assert invoke("assign", units, "out.csv", *arguments).stderr == "wrote 10,000 rows to out.csv\n"
    assert invoke("assign", units, "out.csv", *arguments, "--json").stderr == ""


def test_a_boolean_in_csv_means_the_same_whatever_the_other_rows_hold(
    invoke, catalog: Path, tmp_path: Path
) -> None:
    rule = "{attribute: country, in: [SE, NO]}"
    catalog.write_text(catalog.read_text().replace(rule, "{attribute: beta, equals: true}"))
    source = tmp_path / "in.csv"
    arguments = ["assign", source, "-", "--catalog", catalog, "--unit-column", "id"]
    for others in ("", "u2,false\n"):
        source.write_text(f"id,beta\nu1,true\n{others}")
        rows = [json.loads(line) for line in invoke(*arguments).stdout.splitlines()]
        assert rows[0]["banner.reason"] == "ALLOCATED"
    source.write_text("id,beta\nu1,true\nu2,maybe\n")
    assert "line 3 has 'maybe' in column 'beta'" in invoke(*arguments, code=1).stderr


def test_bytes_for_units_are_written_as_the_text_that_was_digested(
    invoke, catalog: Path, tmp_path: Path
) -> None:
    keys = [b"user-7", b"\xff", None]
    pq.write_table(pa.table({"id": pa.array(keys, pa.binary())}), tmp_path / "in.parquet")
    arguments = ["--catalog", catalog, "--unit-column", "id"]
    for name in ("out.ndjson", "out.csv", "out.parquet"):
        invoke("assign", "in.parquet", name, *arguments)
    rows = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["user-7", None, None]
    assert [row["banner.reason"] for row in rows] == ["OVERRIDE", "NO_UNIT", "NO_UNIT"]
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith('"user-7","green"')
    assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == ["user-7", None, None]


def test_the_version_is_told(invoke) -> None:
    assert invoke("--version").stdout.startswith("allotment ")


def test_experiments_of_several_kinds_of_unit_take_a_column_each(invoke, tmp_path: Path) -> None:
    catalog = tmp_path / "kinds.yaml"
    lines = ["allotment: 1", "experiments:"]
    for kind in ("user", "device"):
        lines += [
            f"  by-{kind}:",
            f"    {{state: running, unit: {kind}, treatments: {{a: {{}}, b: {{}}}},",
            "     allocations: [{weights: {a: 50, b: 50}}]}",
        ]
    catalog.write_text("\n".join(lines))
    source = tmp_path / "in.csv"
    source.write_text("u,d\n1,x\n2,\n")
    single = ["--catalog", catalog, "--unit-column", "u"]
    assert "kinds device, user" in invoke("assign", source, "-", *single, code=1).stderr
    both = ["--catalog", catalog, "--unit-column", "user=u", "--unit-column", "device=d"]
    rows = [json.loads(line) for line in invoke("assign", source, "-", *both).stdout.splitlines()]
    engine = allotment.load(catalog)
    assert [row["by-user"] for row in rows] == [
        engine.assign("by-user", key).treatment for key in ("1", "2")
    ]
    assert rows[0]["by-device"] == engine.assign("by-device", "x").treatment
    assert (rows[1]["by-device"], rows[1]["by-device.reason"]) == (None, "NO_UNIT")


def test_a_list_lies_beside_the_catalogs_name_or_else_beside_what_that_leads_to(
    invoke, tmp_path: Path
) -> None:
    """As in a folder that Kubernetes mounts: each name is a link through `..data`."""
    text = "allotment: 1\nsegments: {vips: {include: {file: vip.txt}}}\n"
    folder, elsewhere = tmp_path / "mounted", tmp_path / "elsewhere"
    (folder / "..1").mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "..data").symlink_to("..1")
    (folder / "..1" / "vip.txt").write_text("a\n")
    (folder / "vip.txt").symlink_to("..data/vip.txt")
    (elsewhere / "catalog.yaml").write_text(text)
    link = folder / "catalog.yaml"
    link.symlink_to(elsewhere / "catalog.yaml")

    def members() -> list[str]:
        return list(allotment.load(link).catalog.segments["vips"].include)

    assert members() == ["a"]
    (elsewhere / "vip.txt").write_text("b\n")
    assert members() == ["a"]
    (folder / "vip.txt").unlink()
    assert members() == ["b"]
    (elsewhere / "vip.txt").unlink()
    (tmp_path / "vip.txt").touch()
    for name, said in (("vip.txt", "cannot be read: No such"), ("../vip.txt", "lies outside")):
        link.write_text(text.replace("vip.txt", name))
        assert said in invoke("validate", link, code=1).stderr


def test_what_reads_a_store_reads_it_where_nothing_can_be_written(
    invoke, catalog: Path, units: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    store = ["--store", folder / "allotment.db"]
    invoke("apply", catalog, *store)
    with read_only(folder):
        assert "OVERRIDE" in invoke("explain", "banner", "user-7", *store).output
        assert "banner" in invoke("export", *store).output
        assert invoke("history", *store, "--json").exit_code == 0
        invoke("plan", catalog, *store)
        invoke("assign", units, tmp_path / "out.csv", "--unit-column", "id", *store)
        assert "cannot be written" in invoke("rollback", "--to", 0, "--yes", *store, code=1).output
        names = {file.name for file in folder.iterdir()}
        assert names == {"allotment.db", "allotment.db.kept"}
