"""A file that is whole or refused: written beside, summed, moved into place, the one before kept.

The first line says what the file is and has the SHA-256 of the rest. The file is written under
another name and then moved into place, and the previous one is kept under `.1`. So there is always
a whole file, and the sum shows whether a file is damaged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


class Torn(ValueError):
    """A file that was not written whole, or by another release."""


@dataclass(frozen=True, slots=True)
class Durable:
    """What a file holds.

    path     where it lies
    body     all behind its first line
    written  when it was written, in seconds since 1970 UTC
    """

    path: Path
    body: bytes
    written: float


def save(path: Path, kind: bytes, body: bytes) -> None:
    """Put a file at `path` that survives a loss of power as soon as this returns.

    `kind` begins the file. One thread of a process saves at a time; several processes may. Raises
    OSError where it cannot be written; the file that was there stays then.
    """
    # Named by the process: a killed one leaves a file behind, which its successor writes over.
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(kind + sha256(body).hexdigest().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):  # the first one has none before it
            os.replace(path, _previous(path))
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def load(path: Path, kind: bytes) -> Durable:
    """The file at `path`; raises OSError where there is none, Torn for one that is not whole."""
    content, written = path.read_bytes(), path.stat().st_mtime
    head, _, body = content.partition(b"\n")
    if head != kind + sha256(body).hexdigest().encode():
        raise Torn(f"{path} is torn, or of another release")
    return Durable(path, body, written)


def generations(path: Path) -> Iterator[Path]:
    """Where the newest file may be, and the one before it."""
    yield path
    yield _previous(path)


def exists(path: Path) -> bool:
    """Whether there is anything to load: between the two moves of a save, it is not at `path`."""
    return any(each.exists() for each in generations(path))


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def sync_folder(folder: Path) -> None:
    """Make what was moved into the folder outlast a loss of power."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
