"""A name stands for a file, a folder, a pattern or standard input, and says what is refused."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from allotment.errors import InvalidInput
from allotment.frames.form import Form
from allotment.frames.inputs import Inputs, inputs_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; names are given as they are typed there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def names(inputs: Inputs) -> list[str]:
    return [str(file.path) for file in inputs.files]


def test_a_folder_stands_for_all_files_in_it_in_the_order_of_their_names(folder: Path) -> None:
    make("units/b.csv", "units/a/2.csv", "units/a/1.csv", "units/c.csv.gz")
    make("units/_SUCCESS", "units/.b.csv.crc", "units/_old/x.csv")
    found = inputs_of("units")
    assert names(found) == ["units/a/1.csv", "units/a/2.csv", "units/b.csv", "units/c.csv.gz"]
    assert found.form is Form.CSV


def test_a_pattern_stands_for_what_it_matches(folder: Path) -> None:
    make("units/b.csv", "units/a/1.csv", "units/a/2.ndjson", "units/c.txt")
    assert names(inputs_of("units/*.csv")) == ["units/b.csv"]
    assert names(inputs_of("units/**/*.csv")) == ["units/a/1.csv", "units/b.csv"]
    assert names(inputs_of("./un*/[a]/*.ndjson")) == ["units/a/2.ndjson"]
    make("other/a/x.csv", "other/x.csv")
    assert names(inputs_of("other/**")) == ["other/a/x.csv", "other/x.csv"]
    assert names(inputs_of("other/*")) == ["other/a/x.csv", "other/x.csv"]


def test_a_file_that_is_named_like_a_pattern_is_that_file(folder: Path) -> None:
    make("units[1].csv", "units1.csv")
    assert names(inputs_of("units[1].csv")) == ["units[1].csv"]


def test_a_form_that_is_given_wins_over_names(folder: Path) -> None:
    make("units/part-0000", "units/part-0001.gz")
    assert inputs_of("units", Form.CSV).form is Form.CSV
    assert inputs_of("units/part-0000", Form.NDJSON).form is Form.NDJSON
    assert inputs_of("-").form is Form.NDJSON
    assert inputs_of("-", Form.CSV).form is Form.CSV


def test_folders_below_the_given_one_say_keys_of_their_files(folder: Path) -> None:
    make(
        "in/day=1/units/country=S%2FE/a=b.csv", "in/day=2/country=__HIVE_DEFAULT_PARTITION__/x.csv"
    )
    keys = [{"day": "1", "country": "S/E"}, {"day": "2", "country": None}]
    assert [file.keys for file in inputs_of("in").files] == keys
    assert [file.keys for file in inputs_of("in/**/*.csv").files] == keys
    assert [file.keys for file in inputs_of("in/d*").files] == keys
    assert [file.keys for file in inputs_of("in/day=1").files] == [{"country": "S/E"}]
    assert inputs_of("in/day=1/units/country=S%2FE/a=b.csv").files[0].keys == {}


@pytest.mark.parametrize(
    ("there", "given", "said"),
    [
        ([], "units.csv", "there is no file units.csv"),
        ([], "units/*.csv", r"no file matches units/\*.csv"),
        (["units/_SUCCESS"], "units", "there is no file in units"),
        (["units/_a.csv"], "units/*.csv", "no file matches"),
        (["u/a.csv", "u/b.ndjson.gz"], "u", "several forms, as u/a.csv and u/b.ndjson.gz"),
        (["u/a.csv", "u/notes.txt"], "u", "u/notes.txt does not tell its form"),
        (["u/a.parquet.gz"], "u", "u/a.parquet.gz cannot be read: Parquet .* unpack it"),
        (["u/a=1/x.csv", "u/b=1/x.csv"], "u", "u/b=1/x.csv have b, .* u/a=1/x.csv a"),
        (["u/a=1/x.csv", "u/x.csv"], "u", "u/x.csv have none"),
        (["u/a=1/a=1/x.csv"], "u", "two folders that say what 'a' is"),
        (["u/a=%FF/x.csv"], "u", "u/a=%FF/x.csv cannot be read"),
    ],
)
def test_what_is_no_set_of_files_is_refused(
    folder: Path, there: list[str], given: str, said: str
) -> None:
    make(*there)
    with pytest.raises(InvalidInput, match=said):
        inputs_of(given)


def test_parquet_cannot_come_through_a_pipe() -> None:
    with pytest.raises(InvalidInput, match="Parquet cannot be read from standard input"):
        inputs_of("-", Form.PARQUET)


def test_a_link_to_a_folder_is_refused_within_a_folder_and_followed_where_it_is_named(
    folder: Path,
) -> None:
    make("real/a.csv", "units/b.csv")
    Path("units/link").symlink_to("../real")
    with pytest.raises(InvalidInput, match="units/link is a link to a folder"):
        inputs_of("units")
    with pytest.raises(InvalidInput, match="units/link is a link to a folder"):
        inputs_of("units/**/*.csv")
    assert names(inputs_of("units/*/a.csv")) == ["units/link/a.csv"]
    assert names(inputs_of("units/link")) == ["units/link/a.csv"]


@pytest.mark.parametrize("given", ["units", "units/**/*.csv", "units/*/*.csv", "units/*"])
def test_a_folder_that_cannot_be_read_is_no_empty_one(
    folder: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("units/a/x.csv", "units/b/y.csv")
    plain = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:  # tests may be run by the super-user
        if path.name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(InvalidInput, match=r"units.* cannot be read: Permission denied"):
        inputs_of(given)


def test_what_is_no_regular_file_is_refused(folder: Path) -> None:
    os.mkfifo("pipe.csv")
    with pytest.raises(InvalidInput, match=r"pipe.csv is no regular file: pipe it"):
        inputs_of("pipe.csv")


@pytest.mark.parametrize(
    ("given", "target", "said"),
    [
        ("in/a.csv", "./in/../in/a.csv", "would overwrite in/a.csv"),
        ("in/a.csv", "link.csv", "would overwrite in/a.csv"),
        ("in/*.csv", "link.csv", "would overwrite in/a.csv"),
        ("in", "in/b/out.parquet", "out.parquet would lie among in"),
        ("in", "in/out.parquet", "would lie among"),
        ("in/", "in/_out.parquet", "would lie among"),
        ("in/*.csv", "in/out.csv", "would lie among"),
        ("*/*.csv", "in/out.csv", "would lie among"),
        ("**/*.csv", "out.csv", "would lie among"),
        ("in/**/*.csv", "in/b/c/out.csv", "would lie among"),
        ("i*", "in/b/out.csv", "would lie among"),
    ],
)
def test_a_result_that_would_be_read_the_next_time_is_refused(
    folder: Path, given: str, target: str, said: str
) -> None:
    make("in/a.csv")
    Path("link.csv").symlink_to("in/a.csv")
    with pytest.raises(InvalidInput, match=said):
        inputs_of(given).check_target(target)


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("in/a.csv", "in/out.csv"),
        ("in", "in.csv"),
        ("in", "inner/out.csv"),
        ("in/*.csv", "in/out.parquet"),
        ("in/*.csv", "in/b/out.csv"),
        ("*/*.csv", "out.csv"),
        ("i[n]", "i[n]/out.csv"),
        ("in", "-"),
        ("-", "in/a.csv"),
    ],
)
def test_a_result_beside_what_is_read_is_fine(folder: Path, given: str, target: str) -> None:
    make("in/a.csv")
    inputs_of(given).check_target(target)
