"""References: what is named must exist, and nothing names a noun that is gone."""

from __future__ import annotations

from allotment.change.kinds import iteration_path, noun_path
from allotment.change.references import answering, flags_set, reach
from allotment.errors import Conflict, InvalidChange, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagState


def check_sets(experiment: Experiment, catalog: Catalog) -> None:
    """Raise NotFound where a treatment sets a flag or a variation that is not there."""
    for iteration in answering(experiment):
        for treatment in iteration.treatments:
            for key, variation in treatment.sets:
                flag = catalog.flags.get(key)
                known = [one.key for one in flag.variations] if flag else []
                if variation in known:
                    continue
                path = iteration_path(experiment, iteration)
                here = f"{path}.treatments.{treatment.key}.sets.{key}"
                if flag is None:
                    near = did_you_mean(key, catalog.flags)
                    raise NotFound(f"there is no flag {key!r}{near}", here)
                near = did_you_mean(variation, known)
                raise NotFound(f"flag {key!r} has no variation {variation!r}{near}", here)


def check_archived_sets(experiment: Experiment, before: Catalog, catalog: Catalog) -> None:
    """Raise InvalidChange where what runs or is paused sets an archived flag, and did not before.

    An earlier release let flags be archived under what ran: that can still be edited and ended.
    """
    live, old = experiment.live, before.experiments.get(experiment.key)
    if live is None:
        return
    for key in sorted(flags_set(live)):
        flag = catalog.flags.get(key)
        if flag is None or flag.state is not FlagState.ARCHIVED:
            continue
        was = before.flags.get(key)
        if was is None or was.state is not flag.state or not _sets_live(old, key):
            raise InvalidChange(
                f"flag {key!r} is archived, which is final; set another, or end the iteration",
                f"{iteration_path(experiment, live)}.treatments",
                code="flag_not_on",
            )


def _sets_live(experiment: Experiment | None, flag: str) -> bool:
    live = experiment.live if experiment else None
    return live is not None and flag in flags_set(live)


def check_segments(experiment: Experiment, catalog: Catalog) -> None:
    """Raise NotFound for a segment that is not there, InvalidChange for lists of another unit."""
    for iteration in answering(experiment):
        for segment, path in _asked(experiment, iteration):
            if segment not in catalog.segments:
                near = did_you_mean(segment, catalog.segments)
                raise NotFound(f"there is no segment {segment!r}{near}", path)
            for key in reach(catalog.segments, [segment]):
                reached = catalog.segments.get(key)
                if reached is None:
                    continue  # the segment that names it says so in its own check
                lists = reached.include or reached.exclude
                if lists and reached.unit != experiment.unit:
                    raise InvalidChange(
                        f"the lists of segment {key!r} name units of kind {reached.unit!r}; the "
                        f"experiment randomises {experiment.unit!r}",
                        path,
                    )


def _asked(experiment: Experiment, iteration: Iteration) -> list[tuple[str, str]]:
    """The segments the iteration names itself, each with its path."""
    path = iteration_path(experiment, iteration)
    asked = [
        (allocation.segment, f"{path}.allocations[{index}].segment")
        for index, allocation in enumerate(iteration.allocations)
        if allocation.segment is not None
    ]
    if iteration.audience is not None:
        asked.insert(0, (iteration.audience, f"{path}.audience"))
    return asked


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
                noun_path(kind, key),
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
            f"{noun_path('layer', layer.key)}.reservations.{experiment.key}",
        )
