"""Load a catalog and answer from it: the whole way from a file to an engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from allotment.change.apply import Change, apply
from allotment.change.commands import Command
from allotment.compile import compile_catalog
from allotment.dialects import catalogfile
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.matching.check import check_segment
from allotment.model.catalog import EMPTY, Catalog

# A megabyte more than a million of the longest keys would take is not an id list.
_LIST_BYTES_MAX = 1 << 30


class HasCatalog(Protocol):
    """Something that keeps a catalog, such as a store."""

    def catalog(self) -> Catalog:
        """The newest catalog."""


def load(source: str | os.PathLike[str] | Catalog | HasCatalog) -> Engine:
    """An engine that answers from a catalog file, a Catalog, or what a store has now.

    Raises an AllotmentError with the path of the fault, and OSError for a file that cannot be read.
    """
    if isinstance(source, Catalog):
        catalog = source
    elif isinstance(source, str | os.PathLike):
        catalog = change_by(Path(source), EMPTY).catalog
    else:
        catalog = source.catalog()
    return Engine(compile_catalog(catalog))


def commands_of(file: Path, base: Catalog) -> tuple[Command, ...]:
    """The commands that lead from `base` to what `file` says; its id lists lie beside it."""
    return catalogfile.read(file.read_bytes(), base, lists_beside(file))


def change_by(file: Path, base: Catalog) -> Change:
    """What `file` makes of `base`; the segments' patterns and versions are checked too."""
    return checked_change(commands_of(file, base), base)


def checked_change(commands: Iterable[Command], base: Catalog) -> Change:
    """What the commands make of `base`, with the segments' patterns and versions checked too."""
    change = apply(base, commands)
    for key, segment in change.catalog.segments.items():
        if base.segments.get(key) is not segment:
            check_segment(segment)
    return change


def lists_beside(file: Path) -> Callable[[str], bytes]:
    """A reader of the id lists that a catalog file names, within the folder it lies in."""
    folder = file.resolve().parent

    def read(name: str) -> bytes:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise InvalidInput(f"the list {name!r} lies outside the catalog's folder")
        try:
            if path.stat().st_size > _LIST_BYTES_MAX:
                raise InvalidInput(f"the list {name!r} is larger than 1 GiB")
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"the list {name!r} cannot be read: {error.strerror}") from error

    return read
