"""Who may have a unit at all: experiments that exclude each other, and what a kept unit needs."""

from __future__ import annotations

from allotment.change.kinds import iteration_path, noun_path
from allotment.change.references import answering
from allotment.errors import Conflict, InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.profile import PROFILES
from allotment.model.slots import covers
from allotment.model.stage import Stage, excluders, stage_of, whole


def check_sampled(experiment: Experiment, before: Catalog, catalog: Catalog) -> None:
    """Check an experiment whose audience is a sample now, or is another one or none now."""
    check_places(experiment, catalog)
    check_apart(experiment, catalog)
    check_gives_up_nothing(experiment, before, catalog)


def check_places(experiment: Experiment, catalog: Catalog) -> None:
    """Check that each sample the experiment names is its audience, and the only layer it is in."""
    for iteration in answering(experiment):
        for index, allocation in enumerate(iteration.allocations):
            if _is_sample(allocation.segment, catalog):
                raise InvalidChange(
                    f"segment {allocation.segment!r} is a sample, which is an audience and nothing "
                    "else",
                    f"{iteration_path(experiment, iteration)}.allocations[{index}].segment",
                )
        if experiment.layer is not None and _is_sample(iteration.audience, catalog):
            raise InvalidChange(
                f"the audience {iteration.audience!r} is a sample, and the experiment is in layer "
                f"{experiment.layer!r}; release it there, or ask for an ordinary segment",
                f"{iteration_path(experiment, iteration)}.audience",
            )


def _is_sample(key: str | None, catalog: Catalog) -> bool:
    segment = None if key is None else catalog.segments.get(key)
    return segment is not None and segment.sample is not None


def check_apart(experiment: Experiment, catalog: Catalog) -> None:
    """No unit is overridden in two experiments that exclude each other: they never share one."""
    if experiment.archived or not experiment.overrides:
        return
    units = {unit for unit, _ in experiment.overrides}
    for other in excluders(experiment, catalog):
        for unit, _ in other.overrides:
            if unit in units:
                raise Conflict(
                    f"experiment {other.key!r} of the same layer overrides unit {unit!r} too; keep "
                    "one",
                    f"{noun_path('experiment', experiment.key)}.overrides.{unit}",
                )


def check_gives_up_nothing(experiment: Experiment, before: Catalog, catalog: Catalog) -> None:
    """Raise InvalidChange where an experiment that keeps assignments gives up slots as it runs.

    Its kept units would be lost to the layer or the sample, and another experiment could get them.
    Without either it may have every unit, so joining one gives up what is not reserved; leaving a
    layer is giving up all.
    """
    old = before.experiments.get(experiment.key)
    if old is None or not (old.keeps_assignments and experiment.keeps_assignments):
        return
    ran, runs = old.live, experiment.live
    if ran is None or runs is None or ran.number != runs.number:
        return
    was, now = _stage(old, before), _stage(experiment, catalog)
    if not _covers(was, now):
        raise InvalidChange(
            f"experiment {experiment.key!r} keeps assignments and gives up no slots while it runs; "
            "stop it first",
            _path(experiment, was, now),
        )


def _stage(experiment: Experiment, catalog: Catalog) -> Stage | None:
    try:
        return stage_of(experiment, catalog)
    except KeyError:
        return None  # what is not there is refused elsewhere


def _covers(was: Stage | None, now: Stage | None) -> bool:
    """Whether every unit that the one has is the other's too, and can be no one else's."""
    if was is not None and now is not None and was.draw == now.draw:
        return covers(now.ranges, was.ranges)
    if was is not None and was.layer is not None:
        return False
    return now is None or covers(now.ranges, whole(PROFILES[now.profile]))


def _path(experiment: Experiment, was: Stage | None, now: Stage | None) -> str:
    layer = now.layer if now else was.layer if was else None
    if layer is None or (experiment.layer is None and experiment.current.audience is not None):
        return f"{noun_path('experiment', experiment.key)}.audience"
    return f"$.layers.{layer}.reservations.{experiment.key}"
