"""Which processes a server consists of, and which of them holds a connection."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    found = [process]
    with suppress(OSError):
        for task in (PROC / str(process) / "task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def holder(among: list[int], client_port: int) -> int:
    """Which of these processes has accepted the connection from a port of this machine."""
    local = f":{client_port:04X}"
    lines = [line.split() for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if line[2].endswith(local)}
    for process in among:
        for opened in (PROC / str(process) / "fd").iterdir():
            with suppress(OSError):
                if os.readlink(opened).removeprefix("socket:[").removesuffix("]") in inodes:
                    return process
    raise AssertionError(f"none of {among} has the connection from port {client_port}")
