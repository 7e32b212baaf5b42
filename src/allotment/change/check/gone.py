"""What must hold where a noun is gone: nothing refers to it any more."""

from __future__ import annotations

from allotment.change.place import place
from allotment.errors import Conflict
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

# The index names of those who may still refer to a noun, and how the sentence calls them.
_REFERRERS = {
    "flag": (("flag", "the treatments of experiment"),),
    "segment": (("segment", "experiment"), ("inside", "segment")),
    "layer": (("layer", "experiment"), ("sampled", "segment")),
    "holdout": (("holdout", "experiment"),),
    "experiment": (("experiment", "flag"),),
}


def check_gone(kind: str, key: str, before: Catalog, catalog: Catalog) -> None:
    """Raise Conflict where something still refers to the noun."""
    if kind == "experiment":
        check_released(before.experiments.get(key), catalog)
    for name, who in _REFERRERS[kind]:
        users = catalog.users.get(f"{name}:{key}")
        if users:
            more = f" and {len(users) - 1} more" if len(users) > 1 else ""
            raise Conflict(
                f"{kind} {key!r} is still named by {who} {min(users)!r}{more}; change that first",
                place(kind, key),
            )


def check_released(experiment: Experiment | None, catalog: Catalog) -> None:
    """Raise Conflict where the layer of an experiment as it was still reserves for it."""
    if experiment is None or experiment.layer is None:
        return
    layer = catalog.layers.get(experiment.layer)
    if layer and any(reserved.experiment == experiment.key for reserved in layer.reservations):
        raise Conflict(
            f"layer {layer.key!r} still reserves buckets for experiment {experiment.key!r}; "
            "release them first",
            f"{place('layer', layer.key)}.reservations.{experiment.key}",
        )
