"""Experiments: what outlives their iterations, the current one among it, and the others beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from allotment.dialects.catalogfile.cursor import Alike, Cursor, Readers, Tree
from allotment.dialects.catalogfile.iterations import FIELDS as ITERATION
from allotment.dialects.catalogfile.iterations import read_iteration, show_iteration
from allotment.dialects.catalogfile.values import read_kept, show_kept
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.text import check_unit_key

_OWN: Final = (
    "name",
    "description",
    "unit",
    "holdout",
    "overrides",
    "keeps_assignments",
    "ignore_targeting",
    "intake_open",
    "shared_salt",
    "archived",
    "kept",
    "iterations",
)
_FIELDS: Final = frozenset((*_OWN, *ITERATION))
_INSTEAD: Final = {
    **dict.fromkeys(("rollout", "traffic", "percentage"), 'do you mean "enrolment"?'),
    **dict.fromkeys(("variants", "variations", "arms", "groups"), 'do you mean "treatments"?'),
    **dict.fromkeys(("targeting", "segment", "filter"), 'do you mean "audience"?'),
    **dict.fromkeys(("weights", "split"), "weights stand in `allocations`, in a list of one"),
    "status": 'do you mean "state"?',
    "layer": "a layer puts an experiment in by a share among its `reservations`",
}


def read_experiment(
    key: str, place: Cursor, layer: str | None, before: Experiment | None, alike: Alike
) -> Experiment:
    """The experiment at `place`; `before` is the one that the catalog has under the key.

    With a number (`iteration`) the file says all iterations there are. Without, it says only the
    one it means, and the others stay as they are.
    """
    place.fields(_FIELDS, _INSTEAD)
    iterations = _read_iterations(place, before, alike)
    experiment = Experiment(
        key=key,
        iterations=iterations,
        layer=layer,
        **place.given_of(_READERS),
    )
    said, current = place.at("iteration"), experiment.current.number
    if said.given and said.value != current:
        raise said.refusal(f"iteration {current} is the current one; it stands here instead")
    return experiment


def show_experiment(experiment: Experiment) -> Tree:
    """The experiment as the file spells it, with all its iterations."""
    shown: dict[str, Tree] = {}
    if experiment.name:
        shown["name"] = experiment.name
    if experiment.description:
        shown["description"] = experiment.description
    if experiment.unit != "user":
        shown["unit"] = experiment.unit
    if experiment.holdout is not None:
        shown["holdout"] = experiment.holdout
    for field in ("archived", "keeps_assignments", "ignore_targeting", "shared_salt"):
        if getattr(experiment, field):
            shown[field] = True
    if not experiment.intake_open:
        shown["intake_open"] = False
    if experiment.overrides:
        shown["overrides"] = dict(experiment.overrides)
    shown |= show_kept(experiment.kept)
    current = experiment.current
    shown.update(show_iteration(current))
    others = [show_iteration(each) for each in experiment.iterations if each is not current]
    if others:
        shown["iterations"] = list(others)
    return shown


def _read_iterations(
    place: Cursor, before: Experiment | None, alike: Alike
) -> tuple[Iteration, ...]:
    said = place.at("iteration")
    if not said.given:
        if place.at("iterations").given:
            raise said.refusal("beside `iterations`, say the number of the one that stands here")
        number = _number(place.at("state").choice(State.DRAFT), before)
        there = before.iterations if before else ()
        known = next((each for each in there if each.number == number), None)
        current = _with_times(read_iteration(place, number, alike), known)
        return _in_order([current, *(each for each in there if each is not known)])
    last = 0
    iterations = [read_iteration(place, said.whole(1), alike)]
    for item in place.at("iterations").items():
        number = (
            item.fields(ITERATION).at("iteration").required("the number of the iteration").whole(1)
        )
        if number <= last or number == iterations[0].number:
            raise item.at("iteration").refusal("iterations have numbers of their own, ascending")
        iterations.append(read_iteration(item, number, alike))
        last = number
    return _in_order(iterations)


def _number(state: State, before: Experiment | None) -> int:
    """The number of the iteration that a file without numbers means, by the state it wants."""
    if before is None:
        return 1
    last = before.iterations[-1]
    if state is State.DRAFT:
        meant = before.draft
    elif state is State.STOPPED:
        meant = before.live or last
    else:
        meant = before.live or before.draft
    return meant.number if meant else last.number + 1


def _with_times(iteration: Iteration, known: Iteration | None) -> Iteration:
    """The iteration with the times that a file by hand leaves out, as they are."""
    if known is None or iteration.state is State.DRAFT:
        return iteration
    started, ended = iteration.started_at, iteration.ended_at
    if started is None:
        started = known.started_at
    if ended is None and iteration.state is State.STOPPED:
        ended = known.ended_at
    return replace(iteration, started_at=started, ended_at=ended)


def _in_order(iterations: list[Iteration]) -> tuple[Iteration, ...]:
    return tuple(sorted(iterations, key=lambda each: each.number))


def _read_overrides(place: Cursor) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted((check_unit_key(unit, item.path), item.key()) for unit, item in place.entries())
    )


_READERS: Final[Readers] = {
    "name": ("name", Cursor.name),
    "description": ("description", Cursor.description),
    "unit": ("unit", Cursor.key),
    "holdout": ("holdout", Cursor.key),
    "overrides": ("overrides", _read_overrides),
    "keeps_assignments": ("keeps_assignments", Cursor.truth),
    "ignore_targeting": ("ignore_targeting", Cursor.truth),
    "intake_open": ("intake_open", Cursor.truth),
    "shared_salt": ("shared_salt", Cursor.truth),
    "archived": ("archived", Cursor.truth),
    "kept": ("kept", read_kept),
}
