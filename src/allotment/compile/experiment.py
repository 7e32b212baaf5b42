"""One experiment to one plan. One that cannot be compiled becomes its own failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from allotment.compile import fingerprint
from allotment.compile.recipe import kernel_draw
from allotment.compile.segment import NO_SEGMENTS, Segments, UsedSegments
from allotment.errors import AllotmentError, InvalidInput
from allotment.kernel.idset import IdSet
from allotment.kernel.plan import Plan
from allotment.kernel.recipe import Recipe
from allotment.matching.index import Work
from allotment.model.assignment import NOTHING, REASONS, Assignment, Frozen, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State
from allotment.model.flag import FlagState
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS
from allotment.model.stage import (
    enrolment_draw,
    excluders,
    holdout_draw,
    profile_of,
    stage_of,
    treatment_draw,
)

RUNNING, PAUSED, INTAKE_CLOSED, INACTIVE, ARCHIVED, FAILED = range(6)


@dataclass(frozen=True, slots=True)
class Source:
    """What a plan was compiled from, the segments it asks, and why it failed.

    live    whether it gives anyone anything but by override
    """

    experiment: Experiment
    revision: int
    used: UsedSegments = NO_SEGMENTS
    failure: str = ""
    live: bool = False

    @property
    def iteration(self) -> Iteration:
        """The iteration that assigns, or that would."""
        return self.experiment.current

    @property
    def segments(self) -> tuple[str, ...]:
        """The keys of its segments, in the kernel's order."""
        return self.used.keys

    @property
    def work(self) -> Work:
        """What it takes to ask its segments."""
        return self.used.work


def compile_experiment(experiment: Experiment, catalog: Catalog, segments: Segments) -> Plan:
    """The plan of an experiment; `segments` are those of the catalog, compiled.

    An experiment that cannot be compiled has a plan that answers FAILED. Raises InvalidInput for
    what is no experiment at all.
    """
    _check_form(experiment)
    if experiment.archived:
        # What it named may be gone: nothing of it is looked up.
        return _closed(experiment, catalog.revision, ARCHIVED)
    try:
        return _compile(experiment, catalog, segments)
    except Exception as error:  # noqa: BLE001  # a broken experiment never takes the snapshot down
        return _closed(experiment, catalog.revision, FAILED, _failure(error))


def _check_form(experiment: Experiment) -> None:
    """Refuse what is no experiment; only a catalog that was put together in Python has it."""
    if not isinstance(experiment, Experiment):
        raise InvalidInput(f"an experiment is an Experiment, not {type(experiment).__name__}")
    if not experiment.iterations or not isinstance(experiment.unit, str):
        raise InvalidInput(
            "an experiment has at least one iteration, and a kind of unit that is text",
            f"$.experiments.{experiment.key}",
        )


def _failure(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it names {error.args[0]!r}, which is not there"
    return str(error) if isinstance(error, AllotmentError) else f"{type(error).__name__}: {error}"


def _compile(experiment: Experiment, catalog: Catalog, segments: Segments) -> Plan:
    iteration = experiment.current
    index = {treatment.key: i for i, treatment in enumerate(iteration.treatments)}
    asked = sorted((a for a in iteration.allocations if not a.fallback), key=lambda a: a.priority)
    fallback = next((a for a in iteration.allocations if a.fallback), None)
    needed = dict.fromkeys(a.segment for a in asked if a.segment is not None)
    if iteration.audience is not None:
        needed[iteration.audience] = None
    place = {key: i for i, key in enumerate(needed)}
    used = segments.of(needed)
    state = _state(experiment, catalog)
    holdout = catalog.holdouts[experiment.holdout] if experiment.holdout else None
    stage = stage_of(experiment, catalog)
    # Few experiments have a layer, and only those within one exclude each other.
    claims = _claims(experiment, catalog) if stage and stage.layer is not None else []
    parts = fingerprint.of_iteration(experiment, iteration)
    mark = fingerprint.of_parts(
        "experiment",
        experiment.key,
        state,
        claims,
        (holdout.salt, holdout.share_ppm, *fingerprint.of_profile(holdout.profile))
        if holdout
        else None,
        fingerprint.of_stage(stage),
        used.marks,
        parts,
    )
    return Plan(
        state=state,
        treatments=_shared(tuple(index)),
        unit=experiment.unit,
        overrides=_overrides(experiment, index),
        claims=IdSet(claims) if claims else None,
        holdout=_held_out(holdout) if holdout else None,
        layer=(kernel_draw(stage.draw), stage.ranges) if stage else None,
        keeps=experiment.keeps_assignments,
        ignore_targeting=experiment.ignore_targeting,
        segments=used.kernel,
        audience=-1 if iteration.audience is None else place[iteration.audience],
        enrolment=_enrolment(iteration),
        treatment=kernel_draw(treatment_draw(iteration), _total(iteration)),
        allocations=[
            (-1 if a.segment is None else place[a.segment], _slots(a, index)) for a in asked
        ],
        fallback=None if fallback is None else _slots(fallback, index),
        source=Source(experiment, catalog.revision, used, live=state != INACTIVE),
        answer=answer,
        fingerprint=mark,
    )


def _closed(experiment: Experiment, revision: int, state: int, failure: str = "") -> Plan:
    """A plan without treatments: INACTIVE where archived, FAILED where broken."""
    number = experiment.current.number  # which the answer names
    mark = fingerprint.of_parts("closed", experiment.key, state, experiment.unit, number)
    return Plan(
        state=state,
        treatments=_shared(tuple(t.key for t in experiment.current.treatments)),
        unit=experiment.unit,
        overrides=None,
        claims=None,
        holdout=None,
        layer=None,
        keeps=False,
        ignore_targeting=False,
        segments=(),
        audience=-1,
        enrolment=None,
        treatment="",
        allocations=[],
        fallback=None,
        source=Source(experiment, revision, failure=failure),
        answer=answer,
        fingerprint=mark,
    )


@lru_cache(256)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same tuple for the same names: most experiments call their treatments alike."""
    return names


def _state(experiment: Experiment, catalog: Catalog) -> int:
    live = experiment.live
    if live is None:
        return INACTIVE
    for treatment in live.treatments:
        for flag, _ in treatment.sets:
            if catalog.flags[flag].state is not FlagState.ON:
                return INACTIVE
    if live.state is State.PAUSED:
        return PAUSED
    return RUNNING if experiment.intake_open else INTAKE_CLOSED


def _claims(experiment: Experiment, catalog: Catalog) -> list[str]:
    """The units that those whom the experiment excludes have by override."""
    return sorted(unit for other in excluders(experiment, catalog) for unit, _ in other.overrides)


def _overrides(experiment: Experiment, index: dict[str, int]) -> IdSet | None:
    known = [(unit, index[t]) for unit, t in experiment.overrides if t in index]
    if not known:
        return None
    return IdSet([unit for unit, _ in known], [treatment for _, treatment in known])


def _held_out(holdout: Holdout) -> tuple[str | Recipe, int]:
    return kernel_draw(holdout_draw(holdout)), profile_of(holdout).bound(holdout.share_ppm)


def _enrolment(iteration: Iteration) -> tuple[str | Recipe, int] | None:
    if iteration.enrolment_ppm == BUCKETS:
        return None
    draw = enrolment_draw(iteration)
    return kernel_draw(draw), profile_of(draw).bound(iteration.enrolment_ppm)


def _total(iteration: Iteration) -> int:
    """The total of the weights, which is one where the profile counts its buckets by it."""
    return iteration.allocations[0].total if iteration.allocations else 1


def _slots(allocation: Allocation, index: dict[str, int]) -> Sequence[tuple[int, int, int]]:
    return [(start, stop, index[owner]) for start, stop, owner in allocation.slots]


def answer(source: object, reason: int, treatment: int) -> Assignment:
    """The answer object of one outcome; the kernel asks once an outcome and keeps it."""
    assert isinstance(source, Source)
    chosen = source.iteration.treatments[treatment] if treatment >= 0 else None
    why = REASONS[reason]
    return Assignment(
        experiment=source.experiment.key,
        treatment=chosen.key if chosen else None,
        reason=why,
        variations=Frozen(chosen.sets) if chosen else NOTHING,
        is_control=chosen is not None and chosen.key == source.iteration.control,
        iteration=source.iteration.number,
        revision=source.revision,
        to_keep=source.experiment.keeps_assignments and why in _FIRST,
    )


def unknown(experiment: str) -> Assignment:
    """The answer for an experiment that is not in the catalog."""
    return Assignment(experiment, None, Reason.UNKNOWN_EXPERIMENT, NOTHING, False, 0, 0)


_FIRST = frozenset({Reason.ALLOCATED, Reason.FALLBACK})
