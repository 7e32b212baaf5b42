"""`allotment srm`: observed units held against the weights, from exposures and from counts."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from places import Place
from serving import serving

CATALOG = """\
allotment: 1
segments:
  nordics: {rules: [{attribute: country, in: [SE, NO]}]}
experiments:
  checkout:
    state: running
    treatments: {control: {}, blue: {}}
    allocations: [{key: everyone, weights: {control: 50, blue: 50}}]
  banner:
    state: running
    treatments: {control: {}, green: {}}
    allocations:
      - {key: nordics, segment: nordics, weights: {control: 50, green: 50}}
      - {key: others, fallback: true, weights: {control: 90, green: 10}}
  alike:
    state: running
    treatments: {control: {}, green: {}}
    allocations:
      - {key: nordics, segment: nordics, weights: {control: 50, green: 50}}
      - {key: others, fallback: true, of: 2, weights: {control: 1, green: 1}}
"""


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.yaml"
    path.write_text(CATALOG)
    return path


def exposures(
    units: Iterable[object], treatments: Sequence[str] = ("control", "blue"), **more: Any
) -> list[dict[str, Any]]:
    """An exposure a unit, each treatment in turn."""
    return [
        {"experiment": "checkout", "treatment": treatments[n % len(treatments)], "unit": unit}
        | more
        for n, unit in enumerate(units)
    ]


def ndjson(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def counts(path: Path, *rows: str, head: str = "experiment,treatment,units") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def checks(invoke, catalog: Path, *arguments: object) -> list[dict[str, Any]]:
    done = invoke("srm", "--catalog", catalog, "--json", *arguments)
    return json.loads(done.stdout)["checks"]


def test_counts_that_leave_the_weights_name_the_arm_and_exit_2(invoke, catalog: Path) -> None:
    file = counts(catalog.with_name("c.csv"), "checkout,control,51900", "checkout,blue,48800")
    text = invoke("srm", file, "--catalog", catalog, "--exit-code", code=2).stdout
    assert "off: too many units got control" in text
    assert "+1,550" in text
    assert "█" in text
    (check,) = checks(invoke, catalog, file)
    assert check["verdict"] == "off"
    assert check["farthest"] == "control"
    assert check["units"] == {"control": 51_900, "blue": 48_800}
    assert check["p"] < check["anytime_p"] < 0.001


@pytest.mark.parametrize(
    ("control", "blue", "verdict"),
    [
        (50_000, 50_100, "expected"),
        (50_600, 49_400, "unlikely"),  # p = 0.00015 for one look
        (3, 4, "unknown"),
    ],
)
def test_counts_near_the_weights_exit_0(
    invoke, catalog: Path, control: int, blue: int, verdict: str
) -> None:
    file = counts(
        catalog.with_name("c.csv"), f"checkout,control,{control}", f"checkout,blue,{blue}"
    )
    invoke("srm", file, "--catalog", catalog, "--exit-code")
    (check,) = checks(invoke, catalog, file)
    assert check["verdict"] == verdict


def test_what_a_server_wrote_is_read_from_its_folder(invoke, tmp_path: Path, catalog: Path) -> None:
    for form in ("ndjson", "parquet"):
        folder = tmp_path / form
        folder.mkdir()
        environment = {"ALLOTMENT_EXPOSURES": form, "ALLOTMENT_EXPOSURES_DIR": str(folder)}
        with serving(folder, catalog=catalog, env=environment) as server:
            with server.client() as client:
                for number in range(300):
                    asked = {
                        "unit": f"u{number}",
                        "attributes": {"country": "SE" if number < 100 else "DE"},
                    }
                    client.post("/v1/assign", json=asked).raise_for_status()
            server.stop()
        found = checks(invoke, catalog, folder)
        assert {
            (each["experiment"], each["allocation"]): (sum(each["units"].values()), each["verdict"])
            for each in found
        } == {
            ("checkout", "everyone"): (300, "expected"),
            ("banner", "nordics"): (100, "expected"),
            ("banner", "others"): (200, "expected"),
            ("alike", "nordics"): (100, "expected"),
            ("alike", "others"): (200, "expected"),
        }


def test_a_unit_counts_once_and_in_no_treatment_where_it_was_seen_in_two(
    invoke, catalog: Path
) -> None:
    rows = exposures(range(100)) * 3 + exposures([0, 1], ["blue", "control"])
    (check,) = checks(invoke, catalog, ndjson(catalog.with_name("e.ndjson"), rows))
    assert check["units"] == {"control": 49, "blue": 49}
    assert check["in_several_treatments"] == 2


def test_a_unit_is_the_same_in_every_form_of_file(invoke, catalog: Path) -> None:
    rows = exposures(range(100))
    folder = catalog.with_name("files")
    folder.mkdir()
    ndjson(folder / "a.ndjson", rows)
    pq.write_table(pa.Table.from_pylist(rows), folder / "b.parquet")
    dictionary = pa.Table.from_pylist([row | {"unit": str(row["unit"])} for row in rows])
    for name in dictionary.column_names:
        column = dictionary[name].dictionary_encode()
        dictionary = dictionary.set_column(dictionary.column_names.index(name), name, column)
    pq.write_table(dictionary, folder / "c.parquet")
    lines = [",".join(map(str, row.values())) for row in rows]
    counts(folder / "d.csv", *lines, head="experiment,treatment,unit")
    counts(folder / "notes.txt", "no exposures")
    (check,) = checks(invoke, catalog, folder)
    assert check["units"] == {"control": 50, "blue": 50}


def test_only_units_that_the_weights_dealt_count(invoke, catalog: Path) -> None:
    rows = [
        *exposures(range(50), reason="ALLOCATED"),
        *exposures(range(50, 100), reason="FALLBACK"),
        *exposures(range(100, 150), ["blue"], reason="OVERRIDE"),
        *exposures(range(150, 160), ["blue"], reason="STICKY"),
        *exposures(range(160, 163), [None], reason=None),
    ]
    file = ndjson(catalog.with_name("e.ndjson"), rows)
    done = invoke("srm", "--catalog", catalog, file)
    for line in ("50 exposures (OVERRIDE)", "10 exposures (STICKY)", "3 exposures (no treatment)"):
        assert line in done.stderr
    (check,) = checks(invoke, catalog, file)
    assert check["units"] == {"control": 50, "blue": 50}


def test_a_file_in_which_nothing_was_given_is_left_out(invoke, catalog: Path) -> None:
    given = ndjson(catalog.with_name("given.ndjson"), exposures(range(100)))
    none = catalog.with_name("none.parquet")
    pq.write_table(pa.Table.from_pylist(exposures(range(7), [None])), none)
    done = invoke("srm", "--catalog", catalog, given, none)
    assert "7 exposures (no treatment)" in done.stderr
    assert "as expected" in done.stdout


def test_each_allocation_is_checked_on_its_own(invoke, catalog: Path) -> None:
    file = counts(
        catalog.with_name("c.csv"),
        *("banner,nordics,control,5000", "banner,nordics,green,5000"),
        *("banner,others,control,5000", "banner,others,green,5000"),
        head="experiment,allocation,treatment,units",
    )
    found = checks(invoke, catalog, file)
    assert [(each["allocation"], each["verdict"]) for each in found] == [
        ("nordics", "expected"),
        ("others", "off"),
    ]
    assert found[1]["farthest"] in {"control", "green"}


def test_without_an_allocation_only_equal_weights_are_checked_together(
    invoke, catalog: Path
) -> None:
    file = counts(
        catalog.with_name("c.csv"),
        *("banner,control,700", "banner,green,300", "alike,control,500", "alike,green,510"),
    )
    plain = json.loads(invoke("srm", file, "--catalog", catalog, "--json").stdout)
    (check,) = plain["checks"]
    assert (check["experiment"], check["allocation"]) == ("alike", None)
    (unchecked,) = plain["unchecked"]
    assert unchecked["experiment"] == "banner"
    assert "need a column 'allocation'" in unchecked["why"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("gone,1,all,control,7", "the catalog has no such experiment"),
        ("checkout,9,everyone,control,7", "the experiment has no such iteration"),
        ("checkout,1,nobody,control,7", "the iteration has no such allocation"),
    ],
)
def test_what_the_catalog_does_not_have_is_said(invoke, catalog: Path, row: str, why: str) -> None:
    head = "experiment,iteration,allocation,treatment,units"
    file = counts(catalog.with_name("c.csv"), row, head=head)
    done = invoke("srm", file, "--catalog", catalog)
    assert "nothing could be checked" in done.stdout
    assert why in done.stderr
    assert "7 units" in done.stderr


def test_a_unit_in_a_treatment_without_a_bucket_is_off(invoke, catalog: Path) -> None:
    catalog.write_text(catalog.read_text().replace("{control: 50, blue: 50}", "{control: 100}", 1))
    file = counts(catalog.with_name("c.csv"), "checkout,control,500", "checkout,blue,1")
    (check,) = checks(invoke, catalog, file)
    assert (check["verdict"], check["farthest"], check["p"]) == ("off", "blue", 0)


def test_a_treatment_that_the_experiment_lacks_is_a_slip_and_no_mismatch(
    invoke, catalog: Path
) -> None:
    file = counts(catalog.with_name("c.csv"), "checkout,Control,500", "checkout,blue,500")
    done = invoke("srm", file, "--catalog", catalog)
    assert "no treatment 'Control'; do you mean 'control'?" in done.stderr


def test_a_few_units_are_shown_with_a_decimal(invoke, catalog: Path) -> None:
    file = counts(catalog.with_name("c.csv"), "checkout,control,1", "checkout,blue,2")
    text = invoke("srm", file, "--catalog", catalog).stdout
    assert "1.5" in text
    assert "-0.5" in text


def test_exposures_of_several_spaces_are_not_mixed(invoke, catalog: Path) -> None:
    rows = exposures(range(100), space="web/a") + exposures(range(50), ["blue"], space="web/b")
    file = ndjson(catalog.with_name("e.ndjson"), rows)
    refused = invoke("srm", file, "--catalog", catalog, code=1)
    assert "several spaces: web/a, web/b; say --space" in refused.stderr
    (check,) = checks(invoke, catalog, file, "--space", "web/a")
    assert check["units"] == {"control": 50, "blue": 50}


def test_after_a_change_of_weights_the_exposures_since_then_count(invoke, catalog: Path) -> None:
    before = exposures(range(100), ["control"], revision=3)
    rows = before + exposures(range(100, 300), revision=4)
    file = ndjson(catalog.with_name("e.ndjson"), rows)
    (check,) = checks(invoke, catalog, file, "--since", 4)
    assert check["units"] == {"control": 100, "blue": 100}
    bare = ndjson(catalog.with_name("bare.ndjson"), exposures(range(5)))
    refused = invoke("srm", bare, "--catalog", catalog, "--since", 4, code=1)
    assert "--since needs the column 'revision' in each row" in refused.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "experiment,treatment\na,b\n", "there is neither"),
        ("a.csv", "experiment,treatment,unit,units\na,b,c,1\n", "there are both"),
        ("a.csv", "experiment,treatment,units\ncheckout,blue,-1\n", "0 or more"),
        ("a.csv", "experiment,treatment,units\ncheckout,blue,1.5\n", "the column 'units'"),
        ("a.csv", "experiment,treatment,units\na,b,1\na,b,2\n", "two rows of 'b' in a"),
        ("a.csv", "experiment,unit\na,b\n", "has no column 'treatment'"),
        ("a.ndjson", '{"experiment": "a", "treatment": "b", "unit": 1, "iteration": 1.5}\n',
         "the column 'iteration'"),
        ("a.txt", "", "does not tell its form"),
    ],
)  # fmt: skip
def test_what_is_neither_exposures_nor_counts_is_refused(
    invoke, catalog: Path, name: str, text: str, said: str
) -> None:
    file = catalog.with_name(name)
    file.write_text(text)
    assert said in invoke("srm", file, "--catalog", catalog, code=1).stderr


def test_parquet_of_other_types_is_refused(invoke, catalog: Path) -> None:
    rows = exposures([1.5, 2.5])
    file = catalog.with_name("e.parquet")
    pq.write_table(pa.Table.from_pylist(rows), file)
    refused = invoke("srm", file, "--catalog", catalog, code=1)
    assert "the column 'unit' holds text; here it is of type double" in refused.stderr


def test_exposures_and_counts_are_not_mixed(invoke, catalog: Path) -> None:
    shown = ndjson(catalog.with_name("e.ndjson"), exposures(range(5)))
    counted = counts(catalog.with_name("c.csv"), "checkout,blue,5")
    refused = invoke("srm", shown, counted, "--catalog", catalog, code=1)
    assert "some files hold exposures, and some hold counts" in refused.stderr


def test_compressed_exposures_of_a_folder_are_read(invoke, catalog: Path, tmp_path: Path) -> None:
    folder = tmp_path / "seen"
    folder.mkdir()
    for number in range(2):
        plain = ndjson(tmp_path / "a", exposures(range(100 * number, 100 * number + 100)))
        (folder / f"{number}.ndjson.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (check,) = checks(invoke, catalog, folder)
    assert sum(check["units"].values()) == 200


def test_a_folder_without_exposures_is_refused(invoke, catalog: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "no file in" in invoke("srm", folder, "--catalog", catalog, code=1).stderr


def test_a_store_and_a_server_have_the_weights_too(invoke, place: Place, catalog: Path) -> None:
    invoke("apply", catalog, *place.options)
    file = counts(catalog.with_name("c.csv"), "checkout,control,500", "checkout,blue,510")
    assert "as expected" in invoke("srm", file, *place.options).stdout


def test_many_exposures_are_counted_exactly(
    invoke, catalog: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The distinct rows are sought several times on the way."""
    monkeypatch.setattr("allotment.frames.observed._PENDING_MIN", 1_000)
    rng = random.Random(seed)
    rows = exposures(range(5_000)) * 2
    rng.shuffle(rows)
    files = [
        ndjson(catalog.with_name(f"{n}.ndjson"), rows[n * 1_000 : (n + 1) * 1_000])
        for n in range(10)
    ]
    (check,) = checks(invoke, catalog, *files)
    assert check["units"] == {"control": 2_500, "blue": 2_500}
