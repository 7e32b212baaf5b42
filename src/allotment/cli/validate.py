"""`allotment validate FILE`: is this a catalog?"""

from __future__ import annotations

import typer

from allotment.cli.console import print_json, results
from allotment.cli.options import AsJson, CatalogFile, existing
from allotment.errors import AllotmentError, InvalidInput
from allotment.load import load
from allotment.model.catalog import Catalog
from allotment.words.counts import counted

NAME = "validate"


def run(file: CatalogFile, *, as_json: AsJson = False) -> None:
    """Check a catalog file; exits 1 and says where and why if it is refused."""
    try:
        counts = _checked(file)
    except AllotmentError as error:
        if not as_json:
            raise
        print_json({"valid": False, "error": {"message": error.message, "path": error.path}})
        raise typer.Exit(1) from error
    if as_json:
        print_json({"valid": True, **counts})
    else:
        held = ", ".join(counted(count, noun[:-1]) for noun, count in counts.items())
        results.print(f"{file} is a catalog: {held}", markup=False, soft_wrap=True)


def _checked(file: CatalogFile) -> dict[str, int]:
    engine = load(existing(file))
    for key, failure in engine.snapshot.failures().items():
        raise InvalidInput(failure, f"$.experiments.{key}")
    return _counts(engine.catalog)


def _counts(catalog: Catalog) -> dict[str, int]:
    return {
        "flags": len(catalog.flags),
        "segments": len(catalog.segments),
        "layers": len(catalog.layers),
        "holdouts": len(catalog.holdouts),
        "experiments": len(catalog.experiments),
    }
