"""A hundred million rows, in the memory of a few batches."""

import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 100_000_000
RESIDENT_MAX = 500 * 1024 * 1024
SCHEMA = pa.schema({"id": pa.int64(), "country": pa.string()})


def write_units(path: Path, rows: int, group: int) -> None:
    """Sequential ids in row groups of `group` rows, with one of seven countries."""
    countries = pa.array(["SE", "NO", "DE", "FR", "US", "BR", "JP"])
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for start in range(0, rows, group):
            ids = np.arange(start, min(start + group, rows))
            names = countries.take(pa.array(ids % 7))
            writer.write_table(pa.Table.from_arrays([pa.array(ids), names], schema=SCHEMA), group)


# What a process had resident at most, from the process itself: the figure that its parent gets
# counts what the parent had when it forked.
MEASURED = """
import sys
from pathlib import Path
from allotment.cli.app import main
try:
    main()
finally:
    print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


def assign(units: Path, out: Path, catalog: Path, piped: BinaryIO | None = None) -> int:
    """Assign in a process of its own; returns the most bytes it ever had resident."""
    given = units if piped is None else "-"
    arguments = ["assign", given, out, "--catalog", catalog, "--unit-column", "id", "--threads", 2]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        stdin=subprocess.DEVNULL if piped is None else piped,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stderr.splitlines()[-1]) * 1024


@pytest.mark.soak
@pytest.mark.parametrize("group", [1_000_000, 20_000_000])
def test_a_hundred_million_rows_are_assigned_in_bounded_memory(
    tmp_path: Path, catalog: Path, group: int
) -> None:
    units, out = tmp_path / "many.parquet", tmp_path / "out.parquet"
    write_units(units, ROWS, group)
    resident = assign(units, out, catalog)
    written = pq.ParquetFile(out)
    assert written.metadata.num_rows == ROWS
    assert resident < RESIDENT_MAX, f"{resident / 2**20:,.0f} MiB"


@pytest.mark.memory
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path, catalog: Path) -> None:
    resident = []
    for rows in (2_000_000, 6_000_000):
        units = tmp_path / f"{rows}.parquet"
        write_units(units, rows, 1_000_000)
        resident.append(assign(units, tmp_path / "out.parquet", catalog))
    few, many = resident
    assert many < few + 40 * 1024 * 1024
    assert many < RESIDENT_MAX


@pytest.mark.memory
def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path, catalog: Path) -> None:
    resident = []
    for files in (2, 20):
        folder = tmp_path / f"{files}"
        for number in range(files):
            part = folder / f"day={number}" / "part.parquet"
            part.parent.mkdir(parents=True)
            write_units(part, 200_000, 200_000)
        resident.append(assign(folder, tmp_path / "out.parquet", catalog))
    few, many = resident
    assert many < few + 40 * 1024 * 1024
    assert many < RESIDENT_MAX


@pytest.mark.memory
def test_memory_does_not_grow_with_what_a_compressed_file_or_a_pipe_holds(
    tmp_path: Path, catalog: Path
) -> None:
    resident = []
    out = tmp_path / "out.csv"
    for rows in (300_000, 1_200_000):
        lines = b"".join(b'{"id":%d,"country":"SE"}\n' % number for number in range(rows))
        packed, plain = tmp_path / f"{rows}.ndjson.zst", tmp_path / f"{rows}.ndjson"
        packed.write_bytes(pa.compress(lines, "zstd", asbytes=True))
        plain.write_bytes(lines)
        with plain.open("rb") as piped:
            resident += [assign(packed, out, catalog), assign(plain, out, catalog, piped)]
        assert out.read_bytes().count(b"\n") == rows + 1
    few, many = resident[:2], resident[2:]
    assert max(many) < min(few) + 40 * 1024 * 1024
    assert max(many) < RESIDENT_MAX


@pytest.mark.memory
@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zst", ".ndjson.gz", ".ndjson.zst"])
def test_a_small_file_of_one_endless_line_is_refused_in_little_memory(
    tmp_path: Path, catalog: Path, ending: str
) -> None:
    bomb = tmp_path / f"bomb{ending}"
    head = b"id,country\n" if "csv" in ending else b'{"id":"'
    codec = "gzip" if ending.endswith("gz") else "zstd"
    with bomb.open("wb") as file, pa.CompressedOutputStream(file, codec) as stream:
        stream.write(head)
        for _ in range(256):
            stream.write(b"a" * (1 << 20))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(subprocess.CalledProcessError) as caught:
        assign(bomb, tmp_path / "out.csv", catalog)
    refusal, resident = caught.value.stderr.splitlines()[-2:]
    assert "longer than 1 MiB" in refusal
    assert int(resident) * 1024 < 250 * 1024 * 1024, resident
