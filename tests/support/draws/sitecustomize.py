"""What a process draws at random is the same in every run: its salts and ids.

Python imports this by its name in every process that has this folder on its path, before anything
else. A salt decides which units get which treatment, so a test that looks at treatments of real
salts fails now and then. Tokens are drawn as ever, and so is all in `make soak`, which sets no
`TEST_DRAWS`. Workers of one server race for its requests, so that nothing they draw can repeat;
each has draws of its own only so that ids stay apart.
"""

import hashlib
import itertools
import os
import secrets
import sys
from collections.abc import Callable


def drawing(label: str) -> Callable[[int | None], str]:
    """`secrets.token_hex` with draws that follow from a label; 32 bytes at most."""
    numbers = itertools.count()

    def token_hex(size: int | None = None) -> str:
        return hashlib.sha256(f"{label}/{next(numbers)}".encode()).hexdigest()[: 2 * (size or 32)]

    return token_hex


if label := os.environ.get("TEST_DRAWS"):
    worker = "allotment.server.process.worker" in sys.orig_argv
    secrets.token_hex = drawing(f"{label}/{os.getpid()}" if worker else label)
