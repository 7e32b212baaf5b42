"""Compressed text is what it is without its compression, and refused where it is not whole."""

import gzip
import io
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from allotment.errors import InvalidInput
from allotment.frames.form import Form, open_source
from allotment.frames.rows import Wanted

WANTED = Wanted({"user": "id"}, {})
LINES = {
    Form.CSV: "id\n" + "a\n" * 400_000 + "b\n",
    Form.NDJSON: '{"id":"a"}\n' * 400_000 + '{"id":"b"}',
}


def packed(text: str, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(text.encode(), 1)
    return pa.compress(text.encode(), "zstd", asbytes=True)  # type: ignore[no-any-return]


def units(path: Path | None, form: Form | None = None) -> list[object]:
    with open_source(path, WANTED, form) as source:
        found: list[object] = []
        for rows in source.batches():
            found += pa.array(rows.units["user"]).to_pylist()
            assert source.total is None or 0 < source.done() <= source.total
        assert source.total in (None, source.done())
    return found


@pytest.mark.parametrize("form", [Form.CSV, Form.NDJSON])
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_file_is_read_in_parts_as_if_it_were_not(
    tmp_path: Path, form: Form, ending: str
) -> None:
    path = tmp_path / f"units.{form}{ending}"
    path.write_bytes(packed(LINES[form], ending))
    assert units(path) == ["a"] * 400_000 + ["b"]


@pytest.mark.parametrize("ending", [".gz", ".zst", ".GZ"])
def test_files_that_were_compressed_one_by_one_and_joined_are_one(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"units.csv{ending}"
    path.write_bytes(packed("id\na\n", ending.lower()) + packed("b\nc\n", ending.lower()))
    assert units(path) == ["a", "b", "c"]


def bent(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at:][1:]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_what_is_cut_off_bent_or_followed_by_something_else_is_refused(
    tmp_path: Path, ending: str
) -> None:
    whole = packed("id\n" + "\n".join(map(str, range(50_000))), ending)
    broken = [b"", b"id\na\n", whole[:-1], whole[: len(whole) // 2], whole[:3], whole + b"garbage"]
    broken.append(bent(whole, 0))
    if ending == ".gz":  # Zstandard has a checksum only where its writer put one in; Arrow does not
        broken.append(bent(whole, len(whole) // 2))
    for data in broken:
        path = tmp_path / f"units.csv{ending}"
        path.write_bytes(data)
        with pytest.raises(InvalidInput, match=f"units.csv{ending} cannot be read"):
            units(path)


def test_standard_input_is_read_to_its_end_and_has_no_total(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for form, text in LINES.items():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert units(None, form) == ["a"] * 400_000 + ["b"]


def test_what_is_wrong_with_standard_input_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"id\na,b\n")))
    with pytest.raises(InvalidInput, match="standard input cannot be read: line 2 has 2 values"):
        units(None, Form.CSV)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"id":1}\n{')))
    with pytest.raises(InvalidInput, match="standard input cannot be read: row #2"):
        units(None, Form.NDJSON)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_file_is_read_in_no_thread_but_the_callers(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of a library that runs Python while the interpreter ends aborts the process."""
    threads = set()

    class Watched(io.BufferedReader):
        def read(self, size: int | None = -1) -> bytes:
            threads.add(threading.get_ident())
            return super().read(size)

    path = tmp_path / f"units.csv{ending}"
    path.write_bytes(packed(LINES[Form.CSV], ending))
    monkeypatch.setattr(Path, "open", lambda path, _: Watched(io.FileIO(path)))
    assert len(units(path)) == 400_001
    assert threads == {threading.get_ident()}
