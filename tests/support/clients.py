"""The real clients of vendors' APIs, each in an environment of its own: their needs clash."""

import contextlib
import fcntl
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build"

_PATIENCE = 240


def node_with(*asked: str) -> Path:
    """The folder of an environment that holds exactly these npm packages; made where it is not.

    The first of them, as in "auth0@7.1.0", names the environment. A probe finds the packages when
    Node runs in the folder: node --input-type=module --eval TEXT -- ARGUMENTS. Scripts that a
    package would run while it is installed are not run.
    """
    folder = BUILD / f"{asked[0].strip('@').replace('/', '-').replace('@', '-')}-on-node"
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    with _made_once(folder) as missing:
        if missing:
            _run([*install, "--prefix", folder, *asked])
    return folder


def python_with(*asked: str) -> Path:
    """The interpreter of an environment that holds exactly these packages; made where it is not.

    The first of them, as in "auth0-python==6.8.0", names the environment.
    """
    folder = BUILD / f"{asked[0].replace('==', '-')}-on-3.{sys.version_info[1]}"
    python = folder / "venv" / "bin" / "python"
    with _made_once(folder) as missing:
        if missing:
            venv.create(folder / "venv", clear=True, with_pip=True)
            _run([python, "-m", "pip", "install", "--quiet", "--no-compile", *asked])
    return python


@contextlib.contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Whether the folder is still to be filled; several workers may need it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not (folder / "ready").exists()
        (folder / "ready").touch()


def _run(install: Sequence[str | Path]) -> None:
    """Install, and once more where that does not end: npm retries a failed connection for long."""
    for _ in range(2):
        try:
            done = subprocess.run(
                install, capture_output=True, text=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired:
            continue
        assert done.returncode == 0, f"{install} failed:\n{done.stderr}"
        return
    raise AssertionError(f"{install} did not end in {_PATIENCE} s, twice")
