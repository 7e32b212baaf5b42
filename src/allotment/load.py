"""Load a catalog and answer from it."""

from __future__ import annotations

import os
from typing import Protocol

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.bulk import without_collecting
from allotment.model.catalog import Catalog


class HasCatalog(Protocol):
    """Something that keeps a catalog, such as a store."""

    def catalog(self) -> Catalog:
        """The newest catalog."""


def load(source: str | bytes | os.PathLike[str] | Catalog | HasCatalog) -> Engine:
    """An engine that answers from a catalog: a file, a store, text, or what a server sends.

    source  the name of a catalog file or of a store's file; a store's URL as text, such as
            "postgresql+psycopg://user@host/name"; a catalog's YAML or JSON, as bytes or as text
            that begins with "{" or has a line break; what a server's `/v1/snapshot` answers,
            alike; a Catalog; or a store

    What a server or a store sent has the revision that it has there. An engine does not follow its
    source: load again, or publish; `connect` makes one that follows a server.

    Raises an AllotmentError with the path of the fault, and OSError for a file that cannot be read.
    """
    # Reading a file takes half of all modules; an engine that is sent its catalog needs none.
    from allotment.sources import catalog_of  # noqa: PLC0415

    with without_collecting():
        return Engine(compile_catalog(catalog_of(source)))
