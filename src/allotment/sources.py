"""Where a catalog comes from: a file, text, a store, or what a server sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.diff import created
from allotment.change.impact import Change
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.references import follow
from allotment.dialects import catalogfile
from allotment.errors import InvalidInput, MissingExtra
from allotment.load import HasCatalog
from allotment.matching.check import check_segment
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.plain import from_plain

# A megabyte more than a million of the longest keys would take is not an id list.
_LIST_BYTES_MAX = 1 << 30

# What every SQLite file begins with.
_SQLITE = b"SQLite format 3\0"


def catalog_of(source: str | bytes | os.PathLike[str] | Catalog | HasCatalog) -> Catalog:
    """The catalog that a source of `allotment.load` has; raises what that raises."""
    if isinstance(source, Catalog):
        return source
    if isinstance(source, bytes) or (isinstance(source, str) and _is_text(source)):
        return _catalog_of(source)
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        raise InvalidInput("an engine that follows a server is made by allotment.connect(URL)")
    if isinstance(source, str) and "://" in source:
        return _stored(source)
    if isinstance(source, str | os.PathLike):
        return _catalog_in(Path(source))
    if callable(getattr(source, "catalog", None)):
        return source.catalog()
    raise InvalidInput(
        f"a catalog is loaded from a file, text or a store, not from {type(source).__name__}"
    )


def _is_text(source: str) -> bool:
    """Whether it is a catalog's text and not the name of a file."""
    return "\n" in source or source.lstrip().startswith("{")


def _catalog_in(file: Path) -> Catalog:
    """The catalog of a file: what it says, or what it keeps if it is a store."""
    with file.open("rb") as opened:
        start = opened.read(len(_SQLITE))
        if start != _SQLITE:
            return _catalog_of(start + opened.read(), lists_beside(file))
    return _stored(file)


def _catalog_of(text: str | bytes, lists: Callable[[str], bytes] | None = None) -> Catalog:
    """The catalog that a catalog file's text says, or that a server's answer holds."""
    tree = catalogfile.parse(text)
    if isinstance(tree, dict) and "catalog" in tree:
        return sent_catalog(tree)
    return _checked(created(catalogfile.read_tree(tree, lists)), EMPTY).catalog


def sent_catalog(snapshot: Mapping[str, Any]) -> Catalog:
    """The catalog in what `/v1/snapshot` answers, at its revision and with its index.

    Raises InvalidInput where this version does not read it.
    """
    catalog: Catalog = from_plain(Catalog, snapshot["catalog"], "$.catalog")
    return follow(
        EMPTY, catalog, [(kind, key) for kind in KINDS for key in nouns_of(catalog, kind)]
    )


def _stored(database: str | Path) -> Catalog:
    """The catalog that a store keeps for callers that name no space."""
    try:
        from allotment.store import Store  # noqa: PLC0415  # it needs an optional dependency
    except ModuleNotFoundError as error:
        raise MissingExtra(f"a store needs {error.name}: pip install 'allotment[batch]'") from error
    with Store.open(database, create=False) as store:
        return store.catalog()


def checked_change(commands: Iterable[Command], base: Catalog) -> Change:
    """What the commands make of `base`, with the segments' patterns and versions checked too."""
    return _checked(apply(base, commands), base)


def _checked(change: Change, base: Catalog) -> Change:
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
