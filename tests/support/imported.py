"""What was imported, as a catalog."""

from __future__ import annotations

from allotment.change.apply import apply
from allotment.change.commands import Create
from allotment.importers.rules import Imported
from allotment.model.catalog import EMPTY, Catalog


def catalog_of(imported: Imported) -> Catalog:
    """The catalog that an import into an empty one makes."""
    return apply(EMPTY, map(Create, imported.nouns())).catalog
