"""What an experiment must satisfy: its iterations together, its overrides, what it belongs to."""

from __future__ import annotations

from itertools import pairwise

from allotment.change.check.flag import check_sets_listed
from allotment.change.check.iteration import check_iteration
from allotment.change.check.label import check_labels
from allotment.change.check.layer import check_member, check_unit
from allotment.change.check.reference import (
    check_archived_sets,
    check_released,
    check_segments,
    check_sets,
)
from allotment.change.check.stage import check_apart, check_gives_up_nothing, check_places
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


def check_experiment(experiment: Experiment, before: Catalog, catalog: Catalog) -> None:
    """Check the experiment and its place in the catalog."""
    old = before.experiments.get(experiment.key)
    path = noun_path("experiment", experiment.key)
    if old is None:
        _check_room(catalog, path)
    _check_switches(experiment, path)
    known = {iteration.number: iteration for iteration in old.iterations} if old else {}
    for iteration in experiment.iterations:
        was = known.get(iteration.number)
        if iteration is not was:
            check_iteration(iteration, was, iteration_path(experiment, iteration))
    _check_iterations(experiment, path)
    _check_salts(experiment, catalog, path)
    check_sets(experiment, catalog)
    check_archived_sets(experiment, before, catalog)
    # A segment that changes checks its users itself.
    if old is None or _asks(old) != _asks(experiment):
        check_segments(experiment, catalog)
    for flag in sorted(catalog.users.get(f"experiment:{experiment.key}", ())):
        check_sets_listed(flag, experiment.key, catalog)
    _check_overrides(experiment, path)
    if (
        old is None
        or experiment.overrides != old.overrides
        or _belongs(experiment) != _belongs(old)
    ):
        check_apart(experiment, catalog)
    _check_holdout(experiment, catalog, path)
    check_member(experiment, catalog)
    check_places(experiment, catalog)
    check_gives_up_nothing(experiment, before, catalog)
    if old is not None:
        _check_draws_alike(experiment, old, path)
    if old is not None and old.layer != experiment.layer:
        check_released(old, catalog)


def _check_room(catalog: Catalog, path: str) -> None:
    if len(catalog.experiments) > EXPERIMENTS_MAX:
        raise InvalidChange(f"a catalog has at most {EXPERIMENTS_MAX:,} experiments", path)


def _asks(experiment: Experiment) -> tuple[str, set[str]]:
    return experiment.unit, asked_segments(experiment)


def _belongs(experiment: Experiment) -> tuple[str | None, str | None, str, bool]:
    audience = experiment.current.audience
    return experiment.layer, audience, experiment.unit, experiment.archived


def _check_switches(experiment: Experiment, path: str) -> None:
    check_labels(experiment, path)
    check_key(experiment.unit, f"{path}.unit")
    switches = {
        "keeps_assignments": experiment.keeps_assignments,
        "ignore_targeting": experiment.ignore_targeting,
        "intake_open": experiment.intake_open,
        "shared_salt": experiment.shared_salt,
        "archived": experiment.archived,
    }
    for word, value in switches.items():
        if type(value) is not bool:
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


def _check_draws_alike(experiment: Experiment, old: Experiment, path: str) -> None:
    """An iteration that stays live keeps its unit and its salt: else every draw would change."""
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
