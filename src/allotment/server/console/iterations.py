"""The iterations of an experiment on a line of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.profile import NATIVE
from allotment.server.console.charts import Stretch
from allotment.server.console.words import ago, moment

_COLOURS: Final = {State.RUNNING: 2, State.PAUSED: 1, State.STOPPED: 7}


@dataclass(frozen=True, slots=True)
class IterationLine:
    """One iteration; `ran` says how long, where both ends are known. Others draw as `profile` says.

    `dealt` says whether it deals units afresh or as the one before it did.
    """

    number: int
    state: str
    started: str
    ended: str
    ran: str
    dealt: str
    profile: str
    winner: str
    why: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All iterations, the newest first, and those that ran as stretches of `whole` milliseconds."""

    lines: tuple[IterationLine, ...]
    stretches: tuple[Stretch, ...]
    whole: int
    said: str


def timeline(experiment: Experiment, now: int) -> Timeline:
    """The iterations of an experiment; one that has not ended lasts until now."""
    runs = [each for each in experiment.iterations if each.started_at is not None]
    first = min((each.started_at or 0 for each in runs), default=now)
    until = max([now, *(each.ended_at or 0 for each in runs)])
    stretches = tuple(
        Stretch(
            (each.started_at or 0) - first,
            (each.ended_at or until) - first,
            _COLOURS.get(each.state),
            f"iteration {each.number}: {each.state}",
        )
        for each in runs
    )
    lines = tuple(_line(each, now) for each in reversed(experiment.iterations))
    said = f"from {moment(first)} to {moment(until)}: " + ", ".join(
        f"iteration {each.number} {each.state}" for each in runs[-12:]
    )
    return Timeline(lines, stretches, max(until - first, 1), said if runs else "")


def _line(iteration: Iteration, now: int) -> IterationLine:
    started, ended = iteration.started_at, iteration.ended_at
    ran = "" if started is None else ago(((ended or now) - started) / 1000)
    if iteration.state is State.STOPPED and ended is None:
        ran = ""
    first = iteration.number == 1
    return IterationLine(
        iteration.number,
        str(iteration.state),
        "" if started is None else moment(started),
        "" if ended is None else moment(ended),
        ran,
        "afresh" if iteration.reshuffle or first else "as the one before",
        "" if iteration.profile == NATIVE else iteration.profile,
        iteration.winner or "",
        iteration.winning_reason or iteration.justification,
    )
