"""What an experiment names must be there, for the iterations that can still answer."""

from __future__ import annotations

from allotment.change.nearest import nearest
from allotment.change.place import iteration_place
from allotment.change.users import answering, flags_set, reach
from allotment.errors import InvalidChange, NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagState


def check_sets(experiment: Experiment, catalog: Catalog) -> None:
    """Raise NotFound where a treatment sets a flag or a variation that is not there."""
    for iteration in answering(experiment):
        path = iteration_place(experiment, iteration)
        for treatment in iteration.treatments:
            for key, variation in treatment.sets:
                here = f"{path}.treatments.{treatment.key}.sets.{key}"
                flag = catalog.flags.get(key)
                if flag is None:
                    near = nearest(key, catalog.flags)
                    raise NotFound(f"there is no flag {key!r}{near}", here)
                known = [one.key for one in flag.variations]
                if variation not in known:
                    near = nearest(variation, known)
                    raise NotFound(f"flag {key!r} has no variation {variation!r}{near}", here)


def check_archived_sets(experiment: Experiment, before: Catalog, catalog: Catalog) -> None:
    """Raise InvalidChange where what runs or is paused sets an archived flag, and did not before.

    An earlier release let flags be archived under what ran: that can still be edited and ended.
    """
    live, old = experiment.live, before.experiments.get(experiment.key)
    if live is None:
        return
    for key in sorted(flags_set(live)):
        flag, was = catalog.flags.get(key), before.flags.get(key)
        if flag is None or flag.state is not FlagState.ARCHIVED:
            continue
        if was is None or was.state is not flag.state or not _sets_live(old, key):
            raise InvalidChange(
                f"flag {key!r} is archived, which is final; set another, or end the iteration",
                f"{iteration_place(experiment, live)}.treatments",
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
                near = nearest(segment, catalog.segments)
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
    path = iteration_place(experiment, iteration)
    asked = [
        (allocation.segment, f"{path}.allocations[{index}].segment")
        for index, allocation in enumerate(iteration.allocations)
        if allocation.segment is not None
    ]
    if iteration.audience is not None:
        asked.insert(0, (iteration.audience, f"{path}.audience"))
    return asked
