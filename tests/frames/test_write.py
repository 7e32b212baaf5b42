"""Results are whole or not there, in three forms that read back."""

import json
import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from allotment.errors import InvalidInput
from allotment.frames.form import Form, form_of, open_sink
from allotment.frames.target import open_target

CODED = pa.dictionary(pa.int16(), pa.string())
SCHEMA = pa.schema([("id", pa.string()), ("e", CODED)])
NAMES = pa.array(["plain", 'com,ma "quoted"\nline'])


def batch(keys: list[str | None], codes: list[int | None]) -> pa.RecordBatch:
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), NAMES)
    return pa.RecordBatch.from_arrays([pa.array(keys, pa.string()), column], schema=SCHEMA)


BATCHES = [batch(["007", None], [0, None]), batch([], []), batch(["é", ""], [1, 0])]
ROWS = [("007", "plain"), (None, None), ("é", 'com,ma "quoted"\nline'), ("", "plain")]


def write(target: Path, form: Form) -> None:
    with open_target(str(target)) as file, open_sink(form, file, SCHEMA) as sink:
        for each in BATCHES:
            sink.write(each)


def read(path: Path, form: Form) -> list[tuple[object, object]]:
    if form is Form.PARQUET:
        rows = pq.read_table(path).to_pylist()
    elif form is Form.NDJSON:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        rows = pa.csv.read_csv(
            path,
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types={"id": pa.string()},
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        ).to_pylist()
    return [(row["id"], row["e"]) for row in rows]


@pytest.mark.parametrize("form", list(Form))
def test_a_result_reads_back_as_it_was_written(tmp_path: Path, form: Form) -> None:
    path = tmp_path / f"out.{form}"
    assert form_of(path) is form
    write(path, form)
    assert read(path, form) == ROWS
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_keeps_treatments_as_a_dictionary_in_large_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write(path, Form.PARQUET)
    file = pq.ParquetFile(path)
    assert file.schema_arrow.field("e").type.value_type == pa.string()
    assert pa.types.is_dictionary(file.schema_arrow.field("e").type)
    assert file.num_row_groups == 1


def test_parquet_has_row_groups_of_a_million_rows_however_they_come(tmp_path: Path) -> None:
    for size in (1_000, 400_000):
        path = tmp_path / "out.parquet"
        part = batch(["a"] * size, [0] * size)
        with open_target(str(path)) as file, open_sink(Form.PARQUET, file, SCHEMA) as sink:
            for _ in range(2_000_000 // size):
                sink.write(part)
        found = pq.ParquetFile(path).metadata
        groups = [found.row_group(at).num_rows for at in range(found.num_row_groups)]
        assert sum(groups) == 2_000_000
        assert len(groups) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, GeneratorExit])
def test_what_ends_early_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def write_half() -> None:
        with open_target(str(path)) as file:
            file.write(b"half")
            file.flush()
            assert len(list(tmp_path.iterdir())) == 2
            raise error

    with pytest.raises(error):
        write_half()
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_text() == "before"


def test_a_result_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    path = tmp_path / "out.csv"
    with open_target(str(path)) as file:
        file.write(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_link_keeps_leading_to_its_target(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.touch()
    link.symlink_to(real)
    with open_target(str(link)) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open_target(str(pipe)) as file:
        file.write(b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_directory_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is a directory"), open_target(str(tmp_path)):
        pass
    nowhere = tmp_path / "missing" / "out.csv"
    with pytest.raises(InvalidInput, match="cannot be written"), open_target(str(nowhere)):
        pass


def test_a_name_that_tells_no_form_is_refused() -> None:
    assert form_of(Path("A.JSONL")) is Form.NDJSON
    with pytest.raises(InvalidInput, match="ends in none of"):
        form_of(Path("out"))


def test_a_device_that_is_full_is_a_refusal_in_every_form() -> None:
    for form in Form:
        with pytest.raises(InvalidInput, match="/dev/full cannot be written: No space left"):
            write(Path("/dev/full"), form)


def test_a_reader_that_leaves_is_no_refusal() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        write(Path(f"/dev/fd/{writer}"), Form.CSV)
    os.close(writer)


def test_an_open_file_is_written_by_its_number(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    write(Path(f"/dev/fd/{writer}"), Form.CSV)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    write(tmp_path / "out.csv", Form.CSV)
    assert text == (tmp_path / "out.csv").read_bytes()


def test_a_parquet_file_that_ends_early_is_left_without_a_footer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.parquet"

    def write_half() -> None:
        with path.open("wb") as file, open_sink(Form.PARQUET, file, SCHEMA) as sink:
            sink.write(BATCHES[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"PAR1"
    assert capfd.readouterr().err == ""
