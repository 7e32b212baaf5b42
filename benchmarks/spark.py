"""`python -m benchmarks.spark [ROWS]`: a Parquet file assigned in Spark, and by `allotment assign`.

It needs the group `engines`. What is counted is processor time of all processes that take part (the
JVM, Spark's Python workers, the command), so that a busy machine counts as an idle one, and one
core is one core. Rounds alternate between the ways. Spark's own share is what the same frame costs
without Python, and with a `mapInArrow` that does nothing.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from rich.console import Console
from rich.table import Table

import allotment
import allotment.spark
from allotment.dialects import catalogfile
from benchmarks.catalogs import COUNTRIES, catalog
from benchmarks.machine import machine

ROWS = 5_000_000
ROUNDS = 5
# What assigning and its columns add to Spark's own trip, as a part of what the command takes.
BOUND = 0.5

ENGINE = allotment.load(catalog(2, segments=2))
KEYS = list(ENGINE.catalog.experiments)


def main(rows: int) -> int:
    warnings.simplefilter("ignore", FutureWarning)  # Spark on the version of pandas
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        users = Path(folder) / "users.parquet"
        write_users(users, rows)
        one = Path(folder) / "one.parquet"
        write_users(one, 1)
        ways = {
            **_spark_ways(Path(folder), users),
            "`allotment assign`": _command(users),
            "... a file of one row": _command(one),
        }
        taken = _measured(ways)
    figures = {name: [cpu / rows * 1e9 for cpu, _ in each] for name, each in taken.items()}
    clock = {name: statistics.median(wall for _, wall in each) for name, each in taken.items()}
    return _draw(rows, figures, clock)


def write_users(file: Path, rows: int) -> None:
    """A file of units, each a UUID, with one attribute; in row groups that Spark can share out."""
    dice = Random(7)
    ids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(rows)]
    at = np.random.default_rng(7).integers(0, len(COUNTRIES), rows)
    country = pa.array(COUNTRIES).take(pa.array(at))
    table = pa.table({"user_id": ids, "country": country})
    pq.write_table(table, file, row_group_size=500_000, use_dictionary=["country"])


def _spark_ways(folder: Path, users: Path) -> dict[str, Callable[[], object]]:
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", str(folder))
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    frame = session.read.parquet(str(users))

    def identity(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from batches

    def wide(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """As many columns as the result has, and nothing decided."""
        text, number = pa.repeat("ALLOCATED", 10_000), pa.repeat(0, 10_000)
        for batch in batches:
            new = [each[: batch.num_rows] for each in (*[text] * 2 * len(KEYS), number)]
            columns = [*batch.columns, *new]
            yield pa.RecordBatch.from_arrays(columns, [f"c{n}" for n in range(len(columns))])

    def assigned() -> DataFrame:
        return allotment.spark.assign(frame, ENGINE, KEYS)

    def large() -> None:
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100000")
        try:
            _run(assigned())
        finally:
            session.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")

    def written() -> None:
        writer = assigned().write.mode("overwrite").option("compression", "zstd")
        writer.parquet(str(folder / "assigned"))

    schema = assigned().schema
    return {
        "Spark reads the file": lambda: _run(frame),
        "... and an identity mapInArrow": lambda: _run(frame.mapInArrow(identity, frame.schema)),
        "... and constant columns": lambda: _run(frame.mapInArrow(wide, schema)),
        "`allotment.spark.assign`": lambda: _run(assigned()),
        "... in batches of 100,000": large,
        "... and written as Parquet": written,
    }


def _run(frame: DataFrame) -> None:
    frame.write.format("noop").mode("overwrite").save()


def _command(users: Path) -> Callable[[], object]:
    named, out = users.with_name("catalog.yaml"), users.with_suffix(".assigned.parquet")
    named.write_text(catalogfile.show(ENGINE.catalog))
    program = Path(sys.executable).with_name("allotment")
    options = ["--catalog", str(named), "--unit-column", "user_id", "--keep", "country"]
    command = [str(program), "assign", str(users), str(out), *options, "--no-summary"]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def _measured(ways: dict[str, Callable[[], object]]) -> dict[str, list[tuple[float, float]]]:
    """Seconds of processor and of clock, each round of each way; the first round warms up."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, run in ways.items():
            cpu, wall = _cpu(), time.perf_counter()
            run()
            if number:
                taken[name].append((_cpu() - cpu, time.perf_counter() - wall))
    return taken


def _cpu() -> float:
    """Seconds of processor of this process's children, those that live and those that have ended.

    The JVM is one, the daemon of Spark's workers a child of that, and each worker one of it.
    """
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:  # it has ended
            continue
        fields = text[text.rindex(")") + 2 :].split()
        pid = int(stat.parent.name)
        parents[pid], used[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    living = {pid for pid in parents if os.getpid() in _ancestors(pid, parents)}
    ticks = sum(used[pid] for pid in living)
    return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while (pid := parents.get(pid, 0)) > 1:
        yield pid


def _draw(rows: int, figures: dict[str, list[float]], clock: dict[str, float]) -> int:
    title = f"{machine()}; {rows:,} rows, {len(KEYS)} experiments"
    table = Table(title=title, title_justify="left", expand=False)
    table.add_column("what")
    for heading in ("ns a row", "quartiles", "rows a second a core", "seconds of clock"):
        table.add_column(heading, justify="right")
    for name, each in figures.items():
        low, middle, high = statistics.quantiles(each, n=4)
        rate = f"{1e9 / middle:,.0f}"
        table.add_row(name, f"{middle:.0f}", f"{low:.0f} .. {high:.0f}", rate, f"{clock[name]:.2f}")
    console = Console(width=120)
    console.print(table)
    identity, assigned, command = (
        figures[name]
        for name in (
            "... and an identity mapInArrow",
            "`allotment.spark.assign`",
            "`allotment assign`",
        )
    )
    own = [a - b for a, b in zip(assigned, identity, strict=True)]
    ratio = statistics.median(a / b for a, b in zip(own, command, strict=True))
    console.print(
        f"assigning and its columns add {statistics.median(own):.0f} ns a row to the identity: "
        f"{ratio:.2f} of the command (bound {BOUND})"
    )
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
