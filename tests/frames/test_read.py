"""Files come as they are written, in batches, and a malformed row is named."""

import json
import re
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.frames.csvvalues import Malformed, values_of
from allotment.frames.form import Form, open_sink, open_source
from allotment.frames.rows import Rows, Wanted
from allotment.matching.clause import Compared

TEXT, NUMBER, BOOLEAN = ({kind} for kind in Compared)
WANTED = Wanted({"user": "id"}, {"country": TEXT, "age": NUMBER, "beta": TEXT, "on": BOOLEAN})


def read(path: Path, wanted: Wanted = WANTED) -> list[Rows]:
    with open_source(path, wanted) as source:
        return list(source.batches())


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def attributes(rows: Rows) -> list[dict[str, object]]:
    found = rows.attributes
    if isinstance(found, pa.RecordBatch):
        return found.to_pylist()
    if isinstance(found, dict):
        lists = [each if isinstance(each, list) else each.to_pylist() for each in found.values()]
        return [dict(zip(found, row, strict=True)) for row in zip(*lists, strict=True)]
    return found


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


def test_a_csv_attribute_is_what_it_is_compared_with(tmp_path: Path) -> None:
    file = write(tmp_path / "units.csv", "id,country,age,beta,on\na,01,7,true,t\nb,02,8,false,0\n")
    (rows,) = read(file)
    assert attributes(rows) == [
        {"country": "01", "age": 7, "beta": "true", "on": True},
        {"country": "02", "age": 8, "beta": "false", "on": False},
    ]


def test_a_csv_number_is_a_number_whatever_stands_before_it(tmp_path: Path) -> None:
    rows = ["a,20"] * 150_000 + ["b,17.5", "c,", f"d,{2**63}", "e, -1e3 ", f"f,{-(2**70) + 1}"]
    for order in (rows, rows[::-1]):
        file = write(tmp_path / "units.csv", "id,age\n" + "\n".join(order))
        found = {}
        for part in read(file):
            ages = [row["age"] for row in attributes(part)]
            found |= zip(part.units["user"].to_pylist(), ages, strict=True)
        assert found == {"a": 20, "b": 17.5, "c": None, "d": 2**63, "e": -1000, "f": -(2**70) + 1}


@given(st.lists(st.text(st.sampled_from("0123456789+-.eExnaif _"), min_size=1, max_size=5)))
@example(["+1", "-.5", "5.", "007", "1e5", str(2**53 + 1), "9" * 400, "nan", "inf", "1e999"])
def test_a_csv_number_does_not_depend_on_the_others(texts: list[str]) -> None:
    together = []
    for text in texts:
        try:
            alone = values_of("age", pa.array([text, "!"], pa.string())[:1], NUMBER)
        except Malformed:
            with pytest.raises(Malformed):
                values_of("age", pa.array([text, " 1"], pa.string()), NUMBER)
            continue
        beside = values_of("age", pa.array([text, " 1"], pa.string()), NUMBER)
        assert [alone[0] if isinstance(alone, list) else alone[0].as_py(), 1] == beside
        together.append(text)
    both = values_of("age", pa.array([*together, " 1"], pa.string()), NUMBER)
    assert both[:-1] == [int(t) if t.strip("+-").isdecimal() else float(t) for t in together]


def test_a_csv_column_that_is_compared_with_several_kinds_is_seen_as_each(tmp_path: Path) -> None:
    lines = ["a,1", "b,yes", "c,17.5", "d,x", "e,", "f,007"]
    file = write(tmp_path / "units.csv", "id,mixed\n" + "\n".join(lines) + "\n")
    (rows,) = read(file, Wanted({"user": "id"}, {"mixed": TEXT | NUMBER | BOOLEAN}))
    seen = [row["mixed"] for row in attributes(rows)]
    assert seen == [["1", 1, True], ["yes", True], ["17.5", 17.5], ["x"], None, ["007", 7]]
    file.write_text("id,mixed\na,1\nb,x\n")
    with pytest.raises(InvalidInput, match="line 3 has 'x' in column 'mixed', which is no boolean"):
        read(file, Wanted({"user": "id"}, {"mixed": NUMBER | BOOLEAN}))


def test_a_csv_number_that_begins_late_is_still_a_number(tmp_path: Path) -> None:
    lines = ["id,age"] + ["a,"] * 400_000 + ["b,7.5"]
    *_, last = read(write(tmp_path / "units.csv", "\n".join(lines)))
    assert attributes(last)[-1] == {"age": 7.5}


def test_a_quoted_csv_value_may_hold_commas_and_doubled_quotes(tmp_path: Path) -> None:
    text = '\ufeff"id","name"\r\n"a","x, y"\r\n"b""c",""\r\n"""d""","z"\r\n'
    (rows,) = read(write(tmp_path / "units.csv", text))
    assert rows.units["user"].to_pylist() == ["a", 'b"c', '"d"']


@given(text=st.text(st.sampled_from('a",\n\r'), max_size=30))
def test_every_csv_file_has_a_row_for_each_of_its_lines_or_is_refused(text: str) -> None:
    with TemporaryDirectory() as folder:
        file = write(Path(folder) / "units.csv", f"id\n{text}\nlast\n")
        try:
            units = [key for rows in read(file) for key in rows.units["user"].to_pylist()]
        except InvalidInput:
            return
    assert len(units) == len([line for line in re.split("[\r\n]", text) if line]) + 1
    assert units[-1] == "last"


@pytest.mark.parametrize("short", range(3))
def test_a_csv_line_may_be_a_mebibyte_long(tmp_path: Path, short: int) -> None:
    keys = ["a" * (1 << 20), "b" * 7, "c" * ((1 << 20) - short), "d"]
    for head in ("id\n", "id\n" + "e\n" * 400_000):
        file = write(tmp_path / "units.csv", head + "\n".join(keys))
        units = [key for rows in read(file) for key in rows.units["user"].to_pylist()]
        assert units[-4:] == keys


def test_csv_booleans_do_not_depend_on_other_rows(tmp_path: Path) -> None:
    rows = ["a,true", "b,False", "c,", "d,TRUE", "e,1", "f,No", "g,t", "h, off "]
    for order in (rows, rows[::-1], ["c,"] * 400_000 + rows):
        file = write(tmp_path / "units.csv", "id,on\n" + "\n".join(order))
        found = {
            key: row["on"]
            for part in read(file)
            for key, row in zip(part.units["user"].to_pylist(), attributes(part), strict=True)
        }
        assert found == {
            "a": True, "b": False, "c": None, "d": True,
            "e": True, "f": False, "g": True, "h": False,
        }  # fmt: skip


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
        (
            "a.csv",
            "id,age\n" + "a,1\n" * 300_000 + "b\n",
            "line 300002 has 1 values, and the h",
        ),
        (
            "a.csv",
            "id,age\n" + "a,1\n" * 300_000 + "b,x\n",
            "line 300002 has 'x' in column 'age'",
        ),
        ("a.csv", b"id\na\n\xff\n", "line 3 has a value in column 'id' that is not UTF-8"),
        ("a.csv", b"id\n\n\na\n\xff\n", "line 5 has"),
        ("a.csv", "\n\nid,age\n\r\na,x\n", "line 5 has 'x'"),
        ("a.csv", "\n\nid,age\n\n\na\n", "line 6 has 1 values"),
        ("a.csv", 'id\na\n"b\n' + "c\n" * 9, "line 3 has a quote that is never closed"),
        ("a.csv", 'id\na\n"b', "line 3 has a quote that is never closed"),
        ("a.csv", "id\n" + "a\n" * 900_000 + '"b\nc\n"d\n', "line 900002 has a quote"),
        (
            "a.csv",
            "id\n" + "a\n" * 900_000 + 'b\n"c\nd"\n',
            "line 900003 has a value .* break",
        ),
        ("a.csv", 'id\n"' + "b" * (2**20 - 5) + '\nc"\n', "line 2 has a value .* line break"),
        ("a.csv", 'id\r\n"a\r\nb"\r\n', "line 2 has a value in quotes .* break"),
        ("a.csv", 'id,name\r\nb,"a\r\n\r\n""b"",c",x\r\n', "line 2 has a value in quotes .* break"),
        ("a.csv", 'id,name\na,5",b "c\nd,"\n', "line 2 has a quote inside a value"),
        ("a.csv", "id\na\n" + "b" * 3_000_000, "line 3 is longer than 1 MiB"),
        ("a.csv", 'id\n"' + "b" * 3_000_000 + '"\n', "line 2 is longer than 1 MiB"),
        ("a.csv", "id,on\na,true\nb,2\n", "line 3 has '2' in column 'on', which is no boolean"),
        ("a.csv", "id,age\na,1\nb,0x1F\n", "line 3 has '0x1F' in column 'age', which is no number"),
        ("a.csv", "", "line 1 is empty"),
        ("a.csv", "\nid" + "," * 16_384 + "\na\n", "line 2 has more than 16,384 columns"),
        ("a.csv", "key\na\n", "no column 'id'; its columns are: key"),
        ("a.csv", "id,id\na,b\n", "2 columns 'id'"),
        ("a.ndjson", '{"id":1}\n' * 300_000 + "{\n", "row #300001: Input data was truncated"),
        ("a.ndjson", '{"id":1}\n{"id":2} {"id":3}\n', "row #2: JSON is malformed: trailing"),
        ("a.ndjson", '{"id":1}\r{"id":2}\n', "row #1: JSON is malformed: trailing"),
        ("a.ndjson", '{"id":1}\n\n{"id":\n2}\n', "row #3: Input data was truncated"),
        ("a.ndjson", '{"id":1}\n[1]\n', "row #2: Expected `object`, got `array`"),
        ("a.ndjson", '{"id":1}\n{"id":NaN}\n', "row #2"),
        ("a.ndjson", '{"id":1}\n{"id":"\\ud800"}\n', "row #2: text with half a character"),
        ("a.ndjson", b'{"id":"\xff"}\n', "row #1"),
        ("a.ndjson", '{"id":' + "[" * 100_000, "row #1: the line is nested deeper than 96"),
        ("a.ndjson", '{"id":1}\n{"a":%s}\n' % ("[" * 96 + "]" * 96), "row #2: .* deeper than 96"),
        ("a.ndjson", '{"id":1}\n{"id":"%s"}\n' % ("b" * 2**20), "row #2: .* longer than 1 MiB"),
        ("a.ndjson", '{"id":1}\n{"a":[%s0]}\n' % ("[]," * 2_000_000), "row #2: .* longer than 1"),
        ("a.ndjson", '{"id":1}\n' * 600_000 + "{\n", "row #600001: Input data was truncated"),
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


def test_a_csv_unit_is_text_and_to_a_clause_what_it_compares_with(tmp_path: Path) -> None:
    (rows,) = read(write(tmp_path / "a.csv", "id\n007\n"), Wanted({"user": "id"}, {"id": NUMBER}))
    assert rows.units["user"].to_pylist() == rows.written["id"].to_pylist() == ["007"]
    assert attributes(rows) == [{"id": 7}]


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


class Watched:
    """A file that knows which threads read it or write into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.threads = file, set[int]()

    def __getattr__(self, name: str) -> object:
        self.threads.add(threading.get_ident())
        return getattr(self.file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


@pytest.mark.parametrize("form", list(Form))
def test_a_file_is_read_and_written_in_no_thread_but_the_callers(
    tmp_path: Path, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of a library that runs Python while the interpreter ends aborts the process."""
    table = pa.table({"id": ["a"] * 1_000_000, "age": [1] * 1_000_000})
    source = tmp_path / f"a.{form}"
    with Watched(source.open("wb")) as out, open_sink(form, out, table.schema) as sink:
        for batch in table.to_batches(max_chunksize=100_000):
            sink.write(batch)
    watched, plain = [out], Path.open

    def open_watched(path: Path, *arguments: str) -> Watched:
        watched.append(Watched(plain(path, *arguments)))
        return watched[-1]

    monkeypatch.setattr(Path, "open", open_watched)
    assert sum(len(rows.written["id"]) for rows in read(source)) == 1_000_000
    assert len(watched) == (1 if form is Form.PARQUET else 2)  # Arrow's own files know no Python
    assert [each.threads for each in watched] == [{threading.get_ident()}] * len(watched)


def test_a_header_without_rows_has_no_batches(tmp_path: Path) -> None:
    assert [len(rows.units["user"]) for rows in read(write(tmp_path / "a.csv", "id\n"))] in (
        [],
        [0],
    )
    assert read(write(tmp_path / "a.ndjson", "")) == []


def test_a_unit_may_be_a_field_of_a_nested_object(tmp_path: Path) -> None:
    rows = [
        {"user": {"id": "a", "in": {"n": 1}, "x": 5}, "beta": "y"},
        {"user": {"id": None, "in": {"n": 2}, "x": 6}, "beta": None},
        {"user": None, "beta": "z"},
    ]
    write(tmp_path / "a.ndjson", "\n".join(map(json.dumps, rows)) + "\n")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    nested = Wanted({"user": "user.id", "number": "user.in.n"}, {"beta": TEXT, "user": set()})
    for name, number in (("a.ndjson", ["1", "2", None]), ("a.parquet", [1, 2, None])):
        (found,) = read(tmp_path / name, nested)
        users = found.units["user"]
        assert (users if isinstance(users, list) else users.to_pylist()) == ["a", None, None]
        assert found.written["user.id"].to_pylist() == ["a", None, None]
        assert found.written["user.in.n"].to_pylist() == number
        assert [row["user"] for row in attributes(found)] == [row["user"] for row in rows]


def test_a_unit_column_whose_own_name_has_a_dot_wins(tmp_path: Path) -> None:
    rows = [{"user": {"id": "a"}, "user.id": "b"}, {"user": {"id": "c"}, "user.id": None}]
    write(tmp_path / "a.ndjson", "\n".join(map(json.dumps, [*rows, {"user": {"id": "d"}}])))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    write(tmp_path / "a.csv", "user.id,user\nb,a\n,c\n")
    for name, expected in (
        ("a.ndjson", ["b", None, "d"]),
        ("a.parquet", ["b", None]),
        ("a.csv", ["b", None]),
    ):
        (found,) = read(tmp_path / name, Wanted({"user": "user.id"}, {}))
        assert found.written["user.id"].to_pylist() == expected


@pytest.mark.parametrize("column", ["user.nothing", "user.id.more", "nobody.id", "user."])
def test_a_nested_unit_that_is_not_there_is_named(tmp_path: Path, column: str) -> None:
    table = pa.table({"user": [{"id": "a"}]})
    pq.write_table(table, tmp_path / "a.parquet")
    write(tmp_path / "a.ndjson", '{"user": {"id": "a"}}\n')
    with pytest.raises(InvalidInput, match=f"no column '{column}'; its columns are: user"):
        read(tmp_path / "a.parquet", Wanted({"user": column}, {}))
    with pytest.raises(InvalidInput, match=f"no line of .* has '{column}'"):
        read(tmp_path / "a.ndjson", Wanted({"user": column}, {}))
