"""Spark Connect, as managed Spark has it: there is no broadcast, and the answers are the same."""

import os
import subprocess
import sys

from docs.blocks import HOUSE


def test_a_client_of_spark_connect_gets_what_the_kernel_says() -> None:
    # The workers are no children of the client: they are started by what serves it.
    path = os.pathsep.join(str(HOUSE / each) for each in ("tests", "tests/support"))
    done = subprocess.run(
        [sys.executable, "tests/engines/connecting.py"],
        cwd=HOUSE,
        env={**os.environ, "PYTHONPATH": path, "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = [f"{key} 20000" for key in ("checkout", "search", "price-page", "welcome")]
    assert done.stdout.splitlines()[-4:] == counts
