"""The files of exposures: whole or not there, whatever the disk and the process do."""

from __future__ import annotations

import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import allotment
from allotment.exposures.file import File
from allotment.server.counters import Counters
from allotment.server.sync.threads import Threads
from server.logged import NOON, SPACE, counted, files, given, running, soon, written


def test_a_file_is_begun_anew_after_so_many_bytes(tmp_path: Path) -> None:
    exposures = running(tmp_path, rotate_bytes=10_000)
    for batch in range(10):
        for unit in range(100):
            exposures.log(SPACE, "user", f"{batch}-{unit}", given())
        soon(lambda count=100 * (batch + 1): counted(exposures)[0] == count)
    exposures.close()
    assert len(list(tmp_path.iterdir())) == 10
    assert len(written(tmp_path)) == 1_000


def test_a_file_is_begun_anew_after_so_many_seconds(tmp_path: Path) -> None:
    exposures = running(tmp_path, rotate_seconds=0.2)
    exposures.log(SPACE, "user", "a", given())
    soon(lambda: len(written(tmp_path)) == 1)
    exposures.log(SPACE, "user", "b", given())
    soon(lambda: len(written(tmp_path)) == 2)
    exposures.close()
    assert len(list(tmp_path.glob("*.ndjson"))) == 2


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    exposures = running(tmp_path)
    for unit in range(100):
        exposures.log(SPACE, "user", unit, given())
    soon(lambda: counted(exposures)[0] == 100)
    assert [path.suffix for path in tmp_path.iterdir()] == [".writing"]
    exposures.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".ndjson"]


def test_a_file_that_cannot_be_finished_does_not_stop_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = File.finish

    def faulty(file: File) -> None:
        finish(file)
        raise KeyError("no OSError")

    monkeypatch.setattr(File, "finish", faulty)
    exposures = running(tmp_path, rotate_bytes=1)
    for unit in ("a", "b"):
        exposures.log(SPACE, "user", unit, given())
        soon(lambda unit=unit: unit in {each["unit"] for each in written(tmp_path)})
    exposures.close()
    assert exposures._recording.counts.failures["exposures"] == 2


def test_a_full_disk_costs_no_exposure_that_finds_room_in_the_queue(tmp_path: Path) -> None:
    """As of a file that may not grow: what cannot be written waits, and is written later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    exposures = running(tmp_path, queue=50)
    exposures.log(SPACE, "user", "before", given())
    soon(lambda: counted(exposures)[0] == 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        exposures.log(SPACE, "user", "held", given())
        soon(lambda: exposures._recording.counts.failures["exposures"])
        for unit in range(60):
            exposures.log(SPACE, "user", str(unit), given())
        assert counted(exposures) == (1, 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    soon(lambda: counted(exposures)[0] == 52)
    exposures.close()
    units = [each["unit"] for each in written(tmp_path)]
    assert units == ["before", "held", *map(str, range(50))]


CRASH = """
import os, sys, time
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from server.logged import SPACE, files, given
from allotment.server.counters import Counters
from allotment.server.sync.threads import Threads
exposures = files(sys.argv[1], Path("."), Threads(Counters()))
exposures.start()
for unit in range(1000):
    exposures.log(SPACE, "user", str(unit), given())
while exposures._recording.counts.exposures_written < 1000:
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_what_a_crash_leaves_is_finished_at_the_next_start(tmp_path: Path, form: str) -> None:
    tests, source = Path(__file__).parents[1], Path(allotment.__file__).parents[1]
    paths = [str(each) for each in (tests, tests / "support", source)]
    subprocess.run([sys.executable, "-c", CRASH, form, *paths], cwd=tmp_path, check=False)
    left = list(tmp_path.iterdir())
    assert [path.suffix for path in left] == [".writing"]
    with left[0].open("ab") as file:
        file.write(b'{"at":"half a li')
    exposures = files(form, tmp_path, Threads(Counters()))  # type: ignore[arg-type]
    exposures.start()
    exposures.close()
    (path,) = tmp_path.iterdir()
    assert path.name == left[0].stem
    if form == "ndjson":
        assert [each["unit"] for each in written(tmp_path)] == [str(unit) for unit in range(1000)]
    else:
        assert pq.read_table(path).column("unit").to_pylist() == [str(u) for u in range(1000)]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    first, second = running(tmp_path), running(tmp_path)
    first.log(SPACE, "user", "a", given())
    soon(lambda: counted(first)[0] == 1)
    second.close()
    third = running(tmp_path)
    third.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".writing"]
    first.close()
    assert [each["unit"] for each in written(tmp_path)] == ["a"]


def test_what_a_bad_disk_made_of_a_file_is_kept_for_a_human(tmp_path: Path) -> None:
    (tmp_path / "exposures-20261121T120000Z-1-1.parquet.writing").write_bytes(b"\0\0\0\n\xff\n")
    (tmp_path / "exposures-20261121T120000Z-1-2.parquet.writing").write_bytes(b"")
    running(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["exposures-20261121T120000Z-1-1.partial"]


def test_parquet_has_the_same_exposures(tmp_path: Path) -> None:
    exposures = files("parquet", tmp_path, Threads(Counters()), now=lambda: NOON)
    exposures.start()
    for unit in range(100):
        exposures.log(SPACE, "user", f"ä{unit}\n", given(), "nordics" if unit else None)
    exposures.close()
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".parquet"
    rows = pq.read_table(path).to_pylist()
    assert [row["unit"] for row in rows] == [f"ä{unit}\n" for unit in range(100)]
    assert rows[1]["allocation"] == "nordics"
    assert rows[0] == {
        "time": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "space": SPACE,
        "experiment": "checkout",
        "iteration": 1,
        "allocation": None,
        "unit_kind": "user",
        "unit": "ä0\n",
        "treatment": "green",
        "reason": "ALLOCATED",
        "revision": 7,
        "variations": '{"button":"green"}',
    }


def test_a_file_appends_all_lines_or_none(tmp_path: Path) -> None:
    file = File.begin(tmp_path, "ndjson", NOON)
    file.append(b"one\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError):  # noqa: PT011  # whatever the system says
            file.append(b"two\n" * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    file.append(b"three\n")
    file.finish()
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"one\nthree\n"
