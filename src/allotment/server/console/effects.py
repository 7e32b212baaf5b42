"""What a change does to units beside their going from one treatment to another, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.server.console.words import percent


def effects_of(key: str, base: Catalog, after: Catalog) -> Iterator[str]:
    """Who begins or ceases to get treatments of an experiment, and what its flags then give."""
    was, now = base.experiments.get(key), after.experiments.get(key)
    then, soon = dealing(was), dealing(now)
    if then is not None and soon is None:
        yield from _ceased(key, then, now, after)
    elif then is None and soon is not None:
        share = percent(soon.enrolment_ppm)
        yield f"{key}: units get treatments from then on, {share} of its audience."
    elif then is not None and soon is not None and then.enrolment_ppm != soon.enrolment_ppm:
        keeps = now is not None and now.keeps_assignments
        yield _ramped(key, then.enrolment_ppm, soon.enrolment_ppm, keeps=keeps)


def dealing(experiment: Experiment | None) -> Iteration | None:
    """The iteration that gives units treatments, if one does."""
    live = None if experiment is None or experiment.archived else experiment.live
    return live if live is not None and live.state is State.RUNNING else None


def _ceased(key: str, then: Iteration, now: Experiment | None, after: Catalog) -> Iterator[str]:
    if now is not None and now.live is not None:
        yield f"{key}: no unit gets a treatment while it is paused, but for one that is kept."
    else:
        yield f"{key}: every unit loses the treatment that it has, but for one with an override."
    for name in sorted({flag for treatment in then.treatments for flag, _ in treatment.sets}):
        if (flag := after.flags.get(name)) is not None:
            default = flag.default or "nothing"
            yield f"Flag {name}: its default is {default}, where no other experiment deals a unit."
    ended = () if now is None else now.iterations
    winner = next((each.winner for each in ended if each.number == then.number), None)
    if winner is not None:
        yield (
            f"The winner, {winner}, is written down; to give it to every unit, make what it sets"
            " the default of the flag."
        )


def _ramped(key: str, before: int, after: int, *, keeps: bool) -> str:
    said = f"{key}: {percent(before)} of its audience takes part, and {percent(after)} would. "
    if after < before:
        but = ", but for units whose assignment is kept" if keeps else ""
        return f"{said}{percent(before - after)} lose their treatment and get none{but}."
    return f"{said}{percent(after - before)} get a treatment and had none; the others keep theirs."
