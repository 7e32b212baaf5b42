"""What `allotment.sql` says where sqlglot is not there."""

import subprocess
import sys


def test_a_library_that_is_missing_is_named_with_the_extra() -> None:
    script = (
        "import sys\n"
        "sys.modules['sqlglot'] = None\n"
        "import allotment\n"
        "try:\n"
        "    import allotment.sql\n"
        "except allotment.MissingExtra as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "SQL is written with sqlglot, which is not installed: pip install" in done.stdout
