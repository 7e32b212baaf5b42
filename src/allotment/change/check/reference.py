"""What an experiment names must be there, for the iterations that can still answer."""

from __future__ import annotations

from allotment.change.nearest import nearest
from allotment.change.place import iteration_place
from allotment.change.users import answering, reach
from allotment.errors import InvalidChange, NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration


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
