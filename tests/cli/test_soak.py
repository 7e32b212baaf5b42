"""A hundred million rows, in the memory of a few batches."""

import subprocess
import sys
from pathlib import Path

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


def assign(units: Path, out: Path, catalog: Path) -> int:
    """Assign in a process of its own; returns the most bytes it ever had resident."""
    arguments = ["assign", units, out, "--catalog", catalog, "--unit-column", "id", "--threads", 2]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
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
