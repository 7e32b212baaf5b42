"""What an experiment must satisfy: its iterations together, its overrides, what it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

from allotment.change.check.flag import check_sets_listed
from allotment.change.check.iteration import Sound, check_iteration
from allotment.change.check.label import check_labels
from allotment.change.check.layer import check_member, check_unit
from allotment.change.check.reference import (
    check_archived_sets,
    check_released,
    check_segments,
    check_sets,
)
from allotment.change.check.stage import check_apart, check_gives_up_nothing, check_places
from allotment.change.fields import differing_within
from allotment.change.kinds import iteration_path, noun_path
from allotment.change.references import asked_segments, salt_name
from allotment.errors import Conflict, InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.limits import EXPERIMENTS_MAX, ITERATIONS_MAX, OVERRIDES_MAX
from allotment.model.profile import Draw
from allotment.model.stage import enrolment_draw, treatment_draw
from allotment.model.text import check_key, check_unit_key

# Stopped ones first, then at most one that lives, then at most one draft.
_RANK = {State.STOPPED: 0, State.RUNNING: 1, State.PAUSED: 1, State.DRAFT: 2}


def check_experiment(
    experiment: Experiment, before: Catalog, catalog: Catalog, sound: Sound
) -> None:
    """Check the experiment and its place in the catalog; `sound` is as for `check_iteration`.

    A check is made where it reads what changed of the experiment or of an iteration. Other nouns
    that change check those that name them.
    """
    old = before.experiments.get(experiment.key)
    at = At(experiment, old, before, catalog, noun_path("experiment", experiment.key), sound)
    changed = differing_within(old, experiment)
    for reads, check in CHECKS:
        if not reads.isdisjoint(changed):
            check(at)


class At(NamedTuple):
    """What a check reads: an experiment as it is and as it was, and both catalogs."""

    experiment: Experiment
    old: Experiment | None
    before: Catalog
    catalog: Catalog
    path: str
    sound: Sound


def _check_each(experiment: Experiment, old: Experiment | None, sound: Sound) -> None:
    known = {one.number: one for one in old.iterations} if old else {}
    for iteration in experiment.iterations:
        was = known.get(iteration.number)
        if iteration is not was:
            check_iteration(iteration, was, iteration_path(experiment, iteration), sound)


def _check_room(at: At) -> None:
    if at.old is None and len(at.catalog.experiments) > EXPERIMENTS_MAX:
        message = f"a catalog has at most {EXPERIMENTS_MAX:,} experiments"
        raise InvalidChange(message, at.path)


def _check_asked(at: At) -> None:
    """A segment that changes checks its users itself."""
    if at.old is None or _asks(at.old) != _asks(at.experiment):
        check_segments(at.experiment, at.catalog)


def _asks(experiment: Experiment) -> tuple[str, set[str]]:
    return experiment.unit, asked_segments(experiment)


def _check_listed(at: At) -> None:
    for flag in sorted(at.catalog.users.get(f"experiment:{at.experiment.key}", ())):
        check_sets_listed(flag, at.experiment.key, at.catalog)


def _check_apart(at: At) -> None:
    old, new = at.old, at.experiment
    if old is None or new.overrides != old.overrides or _belongs(new) != _belongs(old):
        check_apart(new, at.catalog)


def _belongs(experiment: Experiment) -> tuple[str | None, str | None, str, bool]:
    audience = experiment.current.audience
    return experiment.layer, audience, experiment.unit, experiment.archived


def _check_left(at: At) -> None:
    if at.old is not None and at.old.layer != at.experiment.layer:
        check_released(at.old, at.catalog)


def _check_switches(experiment: Experiment, path: str) -> None:
    check_labels(experiment, path)
    check_key(experiment.unit, f"{path}.unit")
    for word in (*_SWITCHES, "archived"):
        if type(getattr(experiment, word)) is not bool:
            raise InvalidInput(f"{word} is true or false", f"{path}.{word}")


def _check_iterations(experiment: Experiment, path: str) -> None:
    iterations = experiment.iterations
    if not 1 <= len(iterations) <= ITERATIONS_MAX:
        raise InvalidChange(f"an experiment has 1 to {ITERATIONS_MAX:,} iterations", path)
    for one, other in pairwise(iterations):
        here = iteration_path(experiment, other)
        if one.number >= other.number:
            raise InvalidChange("the numbers of iterations ascend", here)
        if _RANK[one.state] > _RANK[other.state] or _RANK[one.state] == _RANK[other.state] > 0:
            raise InvalidChange(
                "iterations are stopped ones, then at most one that runs or is paused, then at "
                f"most one draft; a {other.state} one cannot follow a {one.state} one",
                here,
            )
        if not other.reshuffle and _draws(one) != _draws(other):
            raise InvalidChange(
                "an iteration that is not reshuffled keeps the salt of the one before it, and its "
                "profile",
                here,
            )
        if other.reshuffle and treatment_draw(one) == treatment_draw(other):
            raise InvalidChange("a reshuffled iteration has a salt of its own", here)
    if experiment.archived and experiment.live:
        raise InvalidChange("an archived experiment does not run; stop it first", path)


def _draws(iteration: Iteration) -> tuple[Draw, Draw]:
    return treatment_draw(iteration), enrolment_draw(iteration)


def _check_salts(experiment: Experiment, catalog: Catalog, path: str) -> None:
    for profile, salt in sorted({(one.profile, one.salt) for one in experiment.iterations}):
        for key in sorted(catalog.users.get(f"salt:experiment:{salt_name(profile, salt)}", ())):
            if key == experiment.key:
                continue
            if not (experiment.shared_salt and catalog.experiments[key].shared_salt):
                raise Conflict(
                    f"experiment {key!r} uses the salt {salt!r} too, so both would draw the same; "
                    "choose another, or declare shared_salt in both",
                    f"{path}.salt",
                )


def _check_draws_alike(experiment: Experiment, old: Experiment | None, path: str) -> None:
    """An iteration that stays live keeps its unit and its salt: else every draw would change."""
    if old is None:
        return
    ran, runs = old.live, experiment.live
    if ran is None or runs is None or ran.number != runs.number:
        return
    kept = (
        ("unit", old.unit, experiment.unit),
        ("salt", ran.salt, runs.salt),
        ("profile", ran.profile, runs.profile),
        ("enrolment_draw", ran.enrolment_draw, runs.enrolment_draw),
    )
    for word, was, now in kept:
        if was != now:
            raise InvalidChange(
                f"iteration {runs.number} is live and keeps its {word} {was!r}, as {now!r} would "
                "draw every unit again; stop it and start a reshuffled iteration",
                f"{path}.{word}",
            )


def _check_overrides(experiment: Experiment, path: str) -> None:
    overrides = experiment.overrides
    if not overrides:
        return
    if len(overrides) > OVERRIDES_MAX:
        raise InvalidChange(
            f"an experiment has at most {OVERRIDES_MAX:,} overrides, not {len(overrides):,}",
            f"{path}.overrides",
        )
    treatments = {treatment.key for treatment in experiment.current.treatments}
    last = None
    for unit, treatment in overrides:
        here = f"{path}.overrides.{unit}"
        check_unit_key(unit, f"{path}.overrides")
        if unit == last:
            raise InvalidChange(f"unit {unit!r} has two overrides; keep one", here)
        if last is not None and unit < last:
            raise InvalidChange("overrides are sorted by unit", here)
        if treatment not in treatments:
            number, near = experiment.current.number, did_you_mean(treatment, treatments)
            raise NotFound(f"{treatment!r} is not a treatment of iteration {number}{near}", here)
        last = unit


def _check_holdout(experiment: Experiment, catalog: Catalog, path: str) -> None:
    if experiment.holdout is None:
        return
    holdout = catalog.holdouts.get(experiment.holdout)
    if holdout is None:
        near = did_you_mean(experiment.holdout, catalog.holdouts)
        raise NotFound(f"there is no holdout {experiment.holdout!r}{near}", f"{path}.holdout")
    check_unit(holdout, experiment, f"{path}.holdout")


_LABELS: Final = ("key", "name", "description", "kept")
_SWITCHES: Final = ("keeps_assignments", "ignore_targeting", "intake_open", "shared_salt")
_DRAWS: Final = ("salt", "profile", "enrolment_draw")
_CURRENT: Final = ("archived", "number", "state")  # which iterations can answer, and which does
_SETS: Final = ("treatments", *_CURRENT)
_ASKS: Final = ("unit", "audience", "segment", *_CURRENT)


def _row(check: Callable[[At], None], *reads: str) -> tuple[frozenset[str], Callable[[At], None]]:
    return frozenset(reads), check


# Each check, and the fields that it reads of the experiment, its iterations and allocations.
CHECKS: Final = (
    _row(_check_room, "key"),
    _row(
        lambda at: _check_switches(at.experiment, at.path), *_LABELS, *_SWITCHES, "unit", "archived"
    ),
    _row(lambda at: _check_each(at.experiment, at.old, at.sound), "iterations"),
    _row(lambda at: _check_iterations(at.experiment, at.path), "reshuffle", *_DRAWS, *_CURRENT),
    _row(lambda at: _check_salts(at.experiment, at.catalog, at.path), *_DRAWS, "shared_salt"),
    _row(lambda at: check_sets(at.experiment, at.catalog), *_SETS),
    _row(lambda at: check_archived_sets(at.experiment, at.before, at.catalog), *_SETS),
    _row(_check_asked, *_ASKS),
    _row(_check_listed, *_SETS),
    _row(lambda at: _check_overrides(at.experiment, at.path), "overrides", *_SETS),
    _row(_check_apart, "overrides", "layer", "audience", "unit", *_CURRENT),
    _row(lambda at: _check_holdout(at.experiment, at.catalog, at.path), "holdout", "unit"),
    _row(lambda at: check_member(at.experiment, at.catalog), "layer", "unit"),
    _row(lambda at: check_places(at.experiment, at.catalog), "layer", *_ASKS),
    _row(
        lambda at: check_gives_up_nothing(at.experiment, at.before, at.catalog),
        *("keeps_assignments", "layer", "audience", *_CURRENT),
    ),
    _row(lambda at: _check_draws_alike(at.experiment, at.old, at.path), "unit", *_DRAWS, *_CURRENT),
    _row(_check_left, "layer"),
)
