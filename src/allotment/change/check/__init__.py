"""What a catalog must satisfy, checked around what changed and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.change.check.experiment import check_experiment
from allotment.change.check.flag import check_flag
from allotment.change.check.iteration import Sound
from allotment.change.check.label import check_kept
from allotment.change.check.layer import check_holdout, check_layer
from allotment.change.check.reference import check_gone
from allotment.change.check.segment import check_segment, check_segment_within
from allotment.change.kinds import KINDS, noun_path, nouns_of
from allotment.change.references import with_users
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog

__all__ = ["check_catalog", "check_change"]


def check_change(old: Catalog, new: Catalog, changed_by: Mapping[tuple[str, str], int]) -> None:
    """Check the nouns that changed, and those they touch, in the new catalog.

    `changed_by` gives for each (kind, key) the position of the command that last changed it; an
    error carries it. Raises InvalidInput for what is malformed in itself, NotFound for a reference
    to nothing, Conflict for a collision and InvalidChange for the rest.
    """
    sound: Sound = {}
    for (kind, key), command in changed_by.items():
        try:
            _check(kind, key, old, new, sound)
        except AllotmentError as error:
            error.command = command
            raise


def check_catalog(catalog: Catalog) -> None:
    """Check everything in a catalog that was put together elsewhere."""
    indexed = with_users(catalog)
    everything = {(kind, key): 0 for kind in KINDS for key in nouns_of(catalog, kind)}
    for segment in catalog.segments.values():
        check_segment(segment, noun_path("segment", segment.key))
    check_kept(catalog.kept, "$.kept")
    check_change(EMPTY, indexed, everything)


def _check(kind: str, key: str, old: Catalog, new: Catalog, sound: Sound) -> None:
    if kind == "flag" and key in new.flags:
        check_flag(new.flags[key], old.flags.get(key), new)
    elif kind == "segment" and key in new.segments:
        check_segment_within(new.segments[key], old, new)
    elif kind == "layer" and key in new.layers:
        check_layer(new.layers[key], old, new)
    elif kind == "holdout" and key in new.holdouts:
        check_holdout(new.holdouts[key], old.holdouts.get(key), new)
    elif kind == "experiment" and key in new.experiments:
        check_experiment(new.experiments[key], old, new, sound)
    else:
        check_gone(kind, key, old, new)
