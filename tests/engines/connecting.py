"""A client of Spark Connect, in a process of its own: a process has one kind of session.

Prints, for each experiment, how many rows are what the kernel says of them.
"""

import sys
import warnings

from pyspark.sql import SparkSession

import allotment.spark
from sparkcatalog import KEYS, engine_at

ROWS = 20_000


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)
    session = (
        SparkSession.builder.remote("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    assert "connect" in type(session).__module__
    engine = engine_at(7)
    frame = session.range(0, ROWS, 1, 4).selectExpr(
        "concat('user-', id) user_id",
        "if(id % 2 = 0, 'SE', 'DE') country",
        "id % 60 age",
        "named_struct('plan', if(id % 3 = 0, 'pro', 'free')) account",
        "id n",
    )
    kept = frame.where("n % 3 = 0").selectExpr(
        "'welcome' experiment", "1 iteration", "user_id unit", "'long' treatment"
    )
    table = allotment.spark.assign(frame, engine, KEYS, kept=kept).toArrow().sort_by("n")
    assert set(table["revision"].to_pylist()) == {7}
    for key in KEYS:
        long = [None if n % 3 else "long" for n in range(ROWS)]
        column = engine.assign_many(
            key, table["user_id"], table, stored=long if key == "welcome" else None
        )
        pairs = zip(table[key].to_pylist(), column.names(), strict=True)
        sys.stdout.write(f"{key} {sum(one == other for one, other in pairs)}\n")
    session.stop()


if __name__ == "__main__":
    main()
