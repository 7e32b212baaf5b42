"""Files come as they are written, in batches, and a malformed row is named."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.frames.form import open_source
from allotment.frames.rows import Compared, Rows, Wanted

WANTED = Wanted(
    {"user": "id"},
    {
        "country": Compared.TEXT,
        "age": Compared.NUMBER,
        "beta": Compared.ANY,
        "on": Compared.BOOLEAN,
    },
)


def read(path: Path, wanted: Wanted = WANTED) -> list[Rows]:
    with open_source(path, wanted) as source:
        return list(source.batches())


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def attributes(rows: Rows) -> list[dict[str, object]]:
    found = rows.attributes
    return found.to_pylist() if isinstance(found, pa.RecordBatch) else found


def test_units_in_csv_are_text_exactly_as_written(tmp_path: Path) -> None:
    keys = ["007", "7", "7.0", " 7", "1e3", "true", "NA", "null", "2020-01-01", "Ünï"]
    file = write(tmp_path / "units.csv", "id\n" + "\n".join(keys) + "\n")
    (rows,) = read(file)
    assert rows.units["user"].to_pylist() == keys
    assert rows.written["id"].to_pylist() == keys


def test_an_empty_csv_field_is_null_and_a_quoted_one_is_empty_text(tmp_path: Path) -> None:
    file = write(tmp_path / "units.csv", 'id,country\na,\n"",""\n,NA\n')
    (rows,) = read(file)
    assert rows.units["user"].to_pylist() == ["a", "", None]
    assert [row["country"] for row in attributes(rows)] == [None, "", "NA"]


def test_csv_attributes_have_the_type_they_are_compared_with(tmp_path: Path) -> None:
    file = write(tmp_path / "units.csv", "id,country,age,beta\na,01,7,true\nb,02,8,false\n")
    (rows,) = read(file)
    assert attributes(rows) == [
        {"country": "01", "age": 7, "beta": True},
        {"country": "02", "age": 8, "beta": False},
    ]


def test_a_csv_number_that_begins_late_is_still_a_number(tmp_path: Path) -> None:
    lines = ["id,age"] + ["a,"] * 400_000 + ["b,7.5"]
    *_, last = read(write(tmp_path / "units.csv", "\n".join(lines)))
    assert attributes(last)[-1] == {"age": 7.5}


def test_a_quoted_csv_value_may_hold_commas_and_doubled_quotes(tmp_path: Path) -> None:
    text = '\ufeff"id","name"\r\n"a","x, y"\r\n"b""c",""\r\n"""d""","z"\r\n'
    (rows,) = read(write(tmp_path / "units.csv", text))
    assert rows.units["user"].to_pylist() == ["a", 'b"c', '"d"']


@given(text=st.text(st.sampled_from('a",\n'), max_size=30))
def test_every_csv_file_has_a_row_for_each_of_its_lines_or_is_refused(text: str) -> None:
    with TemporaryDirectory() as folder:
        file = write(Path(folder) / "units.csv", f"id\n{text}\nlast\n")
        try:
            units = [key for rows in read(file) for key in rows.units["user"].to_pylist()]
        except InvalidInput:
            return
    assert len(units) == len([line for line in text.split("\n") if line]) + 1
    assert units[-1] == "last"


@pytest.mark.parametrize("short", range(3))
def test_a_csv_line_may_be_a_mebibyte_long(tmp_path: Path, short: int) -> None:
    keys = ["a" * (1 << 20), "b" * 7, "c" * ((1 << 20) - short), "d"]
    for head in ("id\n", "id\n" + "e\n" * 400_000):
        file = write(tmp_path / "units.csv", head + "\n".join(keys))
        units = [key for rows in read(file) for key in rows.units["user"].to_pylist()]
        assert units[-4:] == keys


def test_csv_booleans_do_not_depend_on_other_rows(tmp_path: Path) -> None:
    rows = ["a,true", "b,False", "c,", "d,TRUE"]
    for order in (rows, rows[::-1], ["c,"] * 400_000 + rows):
        file = write(tmp_path / "units.csv", "id,on\n" + "\n".join(order))
        found = {
            key: row["on"]
            for part in read(file)
            for key, row in zip(part.units["user"].to_pylist(), attributes(part), strict=True)
        }
        assert found == {"a": True, "b": False, "c": None, "d": True}


def test_a_byte_order_mark_before_ndjson_is_no_part_of_it(tmp_path: Path) -> None:
    (rows,) = read(write(tmp_path / "units.ndjson", '\ufeff{"id":"a"}\n'))
    assert rows.units["user"] == ["a"]


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.string(), pa.dictionary(pa.int32(), pa.binary())]
)
def test_a_parquet_unit_that_is_not_utf8_is_written_as_null(
    tmp_path: Path, kind: pa.DataType
) -> None:
    keys = pa.array(["é".encode(), None, b"\xff", b"b"], pa.binary())
    if pa.types.is_string(kind):
        column = pa.Array.from_buffers(kind, len(keys), keys.buffers())
    else:
        column = keys.cast(kind)
    pq.write_table(pa.table({"id": column}), tmp_path / "units.parquet")
    with open_source(tmp_path / "units.parquet", WANTED) as source:
        (rows,) = source.batches()
        assert rows.written["id"].type == source.types["id"]
    assert rows.written["id"].to_pylist() == ["é", None, None, "b"]


def test_a_dated_csv_column_is_text(tmp_path: Path) -> None:
    file = write(tmp_path / "units.csv", "id,beta\na,2020-01-01\n")
    (rows,) = read(file)
    assert attributes(rows) == [{"beta": "2020-01-01"}]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "id,age\n" + "a,1\n" * 300_000 + "b\n", "Row #300002: Expected 2 columns, got 1"),
        ("a.csv", "id,age\n" + "a,1\n" * 300_000 + "b,x\n", "Row #300002: .* invalid value 'x'"),
        ("a.csv", b"id\na\n\xff\n", "Row #3: .*invalid UTF8"),
        ("a.csv", 'id\na\n"b\n' + "c\n" * 9, "line 3 has a quote that is never closed"),
        ("a.csv", 'id\na\n"b', "line 3 has a quote that is never closed"),
        ("a.csv", "id\n" + "a\n" * 900_000 + '"b\nc\n"d\n', "line 900002 has a quote"),
        ("a.csv", 'id\r\n"a\r\nb"\r\n', "line 2 has a quote"),
        ("a.csv", 'id,name\na,5",b "c\nd,"\n', "line 2 has a quote .* value without quotes"),
        ("a.csv", "id\na\n" + "b" * 3_000_000, "line 3 is longer than 1 MiB"),
        ("a.csv", 'id\n"' + "b" * 3_000_000 + '"\n', "line 2 is longer than 1 MiB"),
        ("a.csv", "id,on\na,true\nb,1\n", "Row #3: .* invalid value '1'"),
        ("a.csv", "", "Empty CSV file"),
        ("a.csv", "key\na\n", "no column 'id'; its columns are: key"),
        ("a.csv", "id,id\na,b\n", "2 columns 'id'"),
        ("a.ndjson", '{"id":1}\n' * 300_000 + "{\n", "row #300001: Input data was truncated"),
        ("a.ndjson", '{"id":1}\n[1]\n', "row #2: Expected `object`, got `array`"),
        ("a.ndjson", '{"id":1}\n{"id":NaN}\n', "row #2"),
        ("a.ndjson", '{"id":1}\n{"id":"\\ud800"}\n', "row #2: text with half a character"),
        ("a.ndjson", b'{"id":"\xff"}\n', "row #1"),
        ("a.ndjson", '{"id":' + "[" * 100_000, "row #1"),
        ("a.ndjson", '{"key":1}\n{"key":2}\n', "no line of .* has 'id'"),
        ("a.parquet", b"PAR1 but no more", "cannot be read"),
        ("a.txt", "id\n", "ends in none of .parquet, .csv, .ndjson, .jsonl"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str | bytes, said: str
) -> None:
    file = write(tmp_path / name, text)
    with pytest.raises(InvalidInput, match=said) as caught:
        read(file)
    assert name in str(caught.value)


def test_a_csv_unit_that_is_compared_with_numbers_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "units.csv", "id\n7\n")
    with pytest.raises(InvalidInput, match="'id', which a CSV file holds as text"):
        read(file, Wanted({"user": "id"}, {"id": Compared.NUMBER}))
    (rows,) = read(file, Wanted({"user": "id"}, {"id": Compared.TEXT}))
    assert attributes(rows) == [{"id": "7"}]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "a.ndjson", "a.parquet"):
        with pytest.raises(InvalidInput, match=f"there is no file .*{name}"):
            read(tmp_path / name)


def test_ndjson_keeps_every_value_as_it_is(tmp_path: Path) -> None:
    rows = [
        {"id": 7, "address": {"country": "SE"}, "tags": ["a", 1], "beta": 1},
        {"id": "007", "beta": "2020-01-01"},
        {"id": None},
        {"id": True, "beta": None},
        {"id": 1.5},
        {"id": 2**70},
    ]
    file = write(tmp_path / "units.ndjson", "\n".join(map(json.dumps, rows)) + "\n\n")
    (found,) = read(file)
    assert found.units["user"] == [row["id"] for row in rows]
    assert found.written["id"].to_pylist() == ["7", "007", None, "true", "1.5", str(2**70)]
    assert attributes(found) == rows


def test_parquet_is_read_by_its_own_types_and_only_where_wanted(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([7, None], pa.int32()),
            "beta": pa.array([{"since": "x"}, None]),
            "unread": pa.array([1.0, 2.0]),
        }
    )
    pq.write_table(table, tmp_path / "units.parquet")
    with open_source(tmp_path / "units.parquet", WANTED) as source:
        assert (source.total, source.measure) == (2, "rows")
        assert source.absent == {"country", "age", "on"}
        (rows,) = source.batches()
        assert source.done() == 2
    assert rows.written["id"].type == pa.int32()
    assert attributes(rows) == [{"beta": {"since": "x"}}, {"beta": None}]


@pytest.mark.parametrize("name", ["units.csv", "units.ndjson"])
def test_a_text_file_is_read_in_parts_and_says_how_far_it_is(tmp_path: Path, name: str) -> None:
    line, head = ("a,1\n", "id,age\n") if name.endswith("csv") else ('{"id":"a","age":1}\n', "")
    file = write(tmp_path / name, head + line * 1_000_000)
    with open_source(file, WANTED) as source:
        sizes = []
        for rows in source.batches():
            sizes.append(len(rows.units["user"]))
            assert 0 < source.done() <= source.total
        assert source.done() == source.total == file.stat().st_size
    assert sum(sizes) == 1_000_000
    assert len(sizes) > 3


def test_a_header_without_rows_has_no_batches(tmp_path: Path) -> None:
    assert [len(rows.units["user"]) for rows in read(write(tmp_path / "a.csv", "id\n"))] in (
        [],
        [0],
    )
    assert read(write(tmp_path / "a.ndjson", "")) == []
