"""Files that are read together are one table; what folders say of them are columns."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allotment.errors import InvalidInput
from allotment.frames.form import Form
from allotment.frames.inputs import inputs_of
from allotment.frames.rows import Rows, Wanted
from allotment.frames.together import open_inputs
from allotment.matching.clause import Compared

TEXT, NUMBER = {Compared.TEXT}, {Compared.NUMBER}
WANTED = Wanted({"user": "id"}, {"age": NUMBER, "country": TEXT}, ("plan",))

ROWS = [{"id": f"u{n}", "age": n, "plan": "a" if n % 2 else "b"} for n in range(6)]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        lines = [",".join(map(str, row.values())) + "\n" for row in rows]
        path.write_text(",".join(rows[0]) + "\n" + "".join(lines))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def listed(column: object) -> list[object]:
    return column if isinstance(column, list) else column.to_pylist()  # type: ignore[attr-defined]


def attributes(rows: Rows) -> Iterator[dict[str, object]]:
    found = rows.attributes
    if isinstance(found, pa.RecordBatch):
        yield from found.to_pylist()
    elif isinstance(found, dict):
        columns = [listed(each) for each in found.values()]
        yield from (dict(zip(found, row, strict=True)) for row in zip(*columns, strict=True))
    else:
        yield from found  # type: ignore[misc]


def read(given: Path, wanted: Wanted = WANTED) -> list[dict[str, object]]:
    """Each row as it is written, with what a condition sees of its attributes."""
    found = []
    with open_inputs(inputs_of(str(given)), wanted) as source:
        for rows in source.batches():
            assert set(rows.written) == set(source.types)
            assert {name: each.type for name, each in rows.written.items()} == source.types
            written = pa.RecordBatch.from_pydict(dict(rows.written)).to_pylist()
            units = listed(rows.units["user"])
            for row, unit, seen in zip(written, units, attributes(rows), strict=True):
                assert row["id"] == unit
                found.append({**row, "seen": {name: seen.get(name) for name in wanted.attributes}})
        assert source.done() == source.total
    return found


@pytest.mark.parametrize("form", list(Form))
def test_the_rows_of_a_folder_are_those_of_its_files_with_what_their_folders_say(
    tmp_path: Path, form: Form
) -> None:
    for at, country in enumerate(["DE", "SE", "__HIVE_DEFAULT_PARTITION__"]):
        part = ROWS[2 * at : 2 * at + 2]
        write(tmp_path / "in" / f"country={country}" / f"part.{form}", part)
    expected = [
        {"id": row["id"], "plan": row["plan"], "country": said,
         "seen": {"age": row["age"], "country": said}}
        for row, said in zip(ROWS, ["DE", "DE", "SE", "SE", None, None], strict=True)
    ]  # fmt: skip
    assert sorted(read(tmp_path / "in"), key=lambda row: str(row["id"])) == expected


@pytest.mark.parametrize("form", list(Form))
def test_a_key_of_a_folder_is_text_and_to_a_condition_what_it_compares_with(
    tmp_path: Path, form: Form
) -> None:
    for part in ("007", "1.5", "99999999999999999999"):
        write(tmp_path / "in" / f"n={part}" / f"part.{form}", ROWS[:2])
    seen: dict[str, object] = {"007": 7, "1.5": 1.5, "99999999999999999999": 99999999999999999999}
    found = read(tmp_path / "in", Wanted({"user": "id"}, {"n": NUMBER}))
    assert [(row["n"], row["seen"]) for row in found] == [
        (text, {"n": number}) for text, number in seen.items() for _ in range(2)
    ]
    both = read(tmp_path / "in", Wanted({"user": "id"}, {"n": NUMBER | TEXT}))
    assert both[0]["seen"] == {"n": ["007", 7]}
    write(tmp_path / "in" / "n=many" / f"part.{form}", ROWS[:2])
    with pytest.raises(
        InvalidInput, match=r"n=many.* has 'many' in column 'n', which is no number"
    ):
        read(tmp_path / "in", Wanted({"user": "id"}, {"n": NUMBER}))


def test_a_unit_may_be_a_key_of_a_folder_where_another_is_in_the_files(tmp_path: Path) -> None:
    write(tmp_path / "in/account=7/part.csv", ROWS[:2])
    wanted = Wanted({"user": "id", "account": "account"}, {})
    with open_inputs(inputs_of(str(tmp_path / "in")), wanted) as source:
        [rows] = source.batches()
    assert rows.units["account"].to_pylist() == ["7", "7"]  # type: ignore[attr-defined]
    with (
        pytest.raises(InvalidInput, match=r"folders say what the units of .*in are"),
        open_inputs(inputs_of(str(tmp_path / "in")), Wanted({"account": "account"}, {})),
    ):
        pass


@pytest.mark.parametrize("form", list(Form))
def test_a_key_that_is_a_column_of_the_file_too_is_refused(tmp_path: Path, form: Form) -> None:
    write(tmp_path / "in" / "plan=a" / f"part.{form}", ROWS[:2])
    with pytest.raises(InvalidInput, match="has a column 'plan', and its folder says what that is"):
        read(tmp_path / "in")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            {"id": ["u"], "age": [1], "plan": [7]},
            "b.parquet has the column 'plan' as int64, and .*a",
        ),
        ({"id": ["u"], "age": ["1"], "plan": ["a"]}, "'age' as string, and .*a.parquet as int64"),
        ({"id": ["u"], "plan": ["a"]}, "a.parquet has a column 'age', and .*b.parquet has none"),
        ({"id": ["u"], "age": [1], "plan": ["a"], "country": ["SE"]}, "b.* has a column 'country'"),
        ({"age": [1], "plan": ["a"]}, "b.parquet has no column 'id'"),
    ],
)
def test_files_that_differ_in_a_wanted_column_are_refused_before_a_row_is_read(
    tmp_path: Path, other: dict[str, list[object]], said: str
) -> None:
    write(tmp_path / "a.parquet", ROWS)
    pq.write_table(pa.table(other), tmp_path / "b.parquet")
    with (
        pytest.raises(InvalidInput, match=said),
        open_inputs(inputs_of(str(tmp_path)), WANTED),
    ):
        pass


def test_files_may_differ_in_a_column_that_is_not_wanted_and_in_the_order_of_columns(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.csv", ROWS[:1])
    write(tmp_path / "b.csv", [{"plan": "a", "more": "x", "age": 1, "id": "u1"}])
    assert [row["id"] for row in read(tmp_path)] == ["u0", "u1"]


def test_csv_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ROWS[:1])
    write(tmp_path / "b.csv", [{"id": "u1", "plan": "a"}])
    with pytest.raises(InvalidInput, match=r"a.csv has a column 'age', and .*b.csv has none"):
        read(tmp_path)


def test_the_rows_of_many_files_say_how_far_they_are(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"{number}.parquet", ROWS)
    with open_inputs(inputs_of(str(tmp_path)), WANTED) as source:
        assert (source.total, source.measure, source.done()) == (30, "rows", 0)
        assert [source.done() for _ in source.batches()] == [6, 12, 18, 24, 30]
