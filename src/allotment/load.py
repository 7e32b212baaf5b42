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
from allotment.errors import InvalidInput, MissingExtra
from allotment.matching.check import check_segment
from allotment.model.catalog import EMPTY, Catalog

# A megabyte more than a million of the longest keys would take is not an id list.
_LIST_BYTES_MAX = 1 << 30

# What every SQLite file begins with.
_SQLITE = b"SQLite format 3\0"


class HasCatalog(Protocol):
    """Something that keeps a catalog, such as a store."""

    def catalog(self) -> Catalog:
        """The newest catalog."""


def load(source: str | os.PathLike[str] | Catalog | HasCatalog) -> Engine:
    """An engine that answers from a catalog file, a store's file, a Catalog, or a store.

    A store in a database is given by its URL, as text: "postgresql+psycopg://user@host/name". Of a
    store it is what the store has now; load again, or publish, to follow it.

    Raises an AllotmentError with the path of the fault, and OSError for a file that cannot be read.
    """
    if isinstance(source, Catalog):
        catalog = source
    elif isinstance(source, str) and "://" in source:
        catalog = _stored(source)
    elif isinstance(source, str | os.PathLike):
        catalog = _catalog_in(Path(source))
    elif callable(getattr(source, "catalog", None)):
        catalog = source.catalog()
    else:
        raise InvalidInput(f"a catalog is loaded from a file, not from {type(source).__name__}")
    return Engine(compile_catalog(catalog))


def _catalog_in(file: Path) -> Catalog:
    """The catalog of a file: what it says, or what it keeps if it is a store."""
    with file.open("rb") as opened:
        is_store = opened.read(len(_SQLITE)) == _SQLITE
    return _stored(file) if is_store else change_by(file, EMPTY).catalog


def _stored(database: str | Path) -> Catalog:
    """The catalog that a store keeps for callers that name no space."""
    try:
        from allotment.store import Store  # noqa: PLC0415  # it needs an optional dependency
    except ModuleNotFoundError as error:
        raise MissingExtra(f"a store needs {error.name}: pip install 'allotment[batch]'") from error
    with Store.open(database, create=False) as store:
        return store.catalog()


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
    """A reader of the id lists that a catalog file names, within the folder it lies in.

    Where `file` is a link, its lists lie beside the link, or else beside what it leads to.
    """
    folders = dict.fromkeys((file.absolute().parent.resolve(), file.resolve().parent))

    def read(name: str) -> bytes:
        paths = {folder: (folder / name).resolve() for folder in folders}
        inside = [path for folder, path in paths.items() if path.is_relative_to(folder)]
        if not inside:
            raise InvalidInput(f"the list {name!r} lies outside the catalog's folder")
        path = next((path for path in inside if path.exists()), inside[0])
        try:
            if path.stat().st_size > _LIST_BYTES_MAX:
                raise InvalidInput(f"the list {name!r} is larger than 1 GiB")
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"the list {name!r} cannot be read: {error.strerror}") from error

    return read
