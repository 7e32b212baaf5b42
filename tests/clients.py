"""The real clients of vendors' APIs, each in an environment of its own: their needs clash."""

import fcntl
import subprocess
import sys
import venv
from pathlib import Path

BUILD = Path(__file__).parents[1] / "build"


def python_with(*asked: str) -> Path:
    """The interpreter of an environment that holds exactly these packages; made where it is not.

    The first of them, as in "auth0-python==6.8.0", names the environment.
    """
    folder = BUILD / f"{asked[0].replace('==', '-')}-on-3.{sys.version_info[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may need it at once
        if not (folder / "ready").exists():
            venv.create(folder / "venv", clear=True, with_pip=True)
            install = [python, "-m", "pip", "install", "--quiet", "--no-compile", *asked]
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"pip cannot install {asked}:\n{done.stderr}"
            (folder / "ready").touch()
    return python
