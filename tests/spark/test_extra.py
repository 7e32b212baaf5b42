"""What `allotment.spark` says where Spark is not there; tests/engines has the rest."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["pyspark", "pandas", "pyarrow"])
def test_a_library_that_is_missing_is_named_with_the_extra(library: str) -> None:
    script = (
        "import sys\n"
        f"sys.modules[{library!r}] = None\n"
        "import allotment\n"
        "try:\n"
        "    import allotment.spark\n"
        "except allotment.MissingExtra as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert f"assigning in Spark needs {library}: pip install 'allotment[spark]'" in done.stdout
