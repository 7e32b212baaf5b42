"""An experiment: a list of iterations, and what outlives each of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from allotment.model.limits import BUCKETS
from allotment.model.profile import NATIVE, Draw
from allotment.model.slots import Slots


class State(StrEnum):
    """Where an iteration stands. `change.lifecycle` alone decides what may follow what."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


_LIVE: Final = (State.RUNNING, State.PAUSED)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a unit gets: for each flag it sets, the variation. Two may set the same variation."""

    key: str
    name: str = ""
    sets: tuple[tuple[str, str], ...] = ()  # (flag, variation), sorted by flag


@dataclass(frozen=True, slots=True)
class Allocation:
    """The weights of treatments for one segment.

    `weights` are integer parts of `total`; parts that no treatment has are a gap, whose units get
    nothing. `slots` own the treatment buckets; empty on the way in means "lay them". In a catalog
    they are always laid where the iteration has started; a draft's are laid when it starts, unless
    one that carries nothing on says which they will be. `priority` 1 is asked first; the
    fallback, at most one, has priority 0, no segment, and serves whom no other allocation matched.
    Without a segment it matches everyone.
    """

    key: str
    weights: tuple[tuple[str, int], ...]  # (treatment, parts), in the order of the treatments
    total: int
    segment: str | None = None
    priority: int = 1
    fallback: bool = False
    slots: Slots = ()


@dataclass(frozen=True, slots=True)
class Iteration:
    """One run with a frozen salt. `salt` "" on the way in means "the usual one".

    `audience` is the segment that may take part at all; `enrolment_ppm` the ramp: how many of the
    1,000,000 enrolment buckets are in. `reshuffle` says whether this iteration was dealt afresh
    (a salt of its own) or keeps the salt and slots of the one before it. `started_at` and
    `ended_at` are milliseconds since 1970, UTC, where they are known.

    `profile` says how treatments are dealt. The native one draws by the salt and the stage's name;
    any other by the salt as it stands, and slots are in its own buckets. `enrolment_draw` is for an
    enrolment that does not draw natively by the salt.

    A draft may be unfinished: without treatments or allocations, or with weights above their total.
    Any other iteration is whole.
    """

    number: int
    treatments: tuple[Treatment, ...]
    allocations: tuple[Allocation, ...]
    state: State = State.DRAFT
    salt: str = ""
    control: str | None = None
    audience: str | None = None
    enrolment_ppm: int = BUCKETS
    reshuffle: bool = False
    justification: str = ""
    winner: str | None = None
    winning_reason: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    profile: str = NATIVE
    enrolment_draw: Draw | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment; `unit` is the kind of unit it randomises.

    `layer` and `holdout` name the nouns it belongs to. `overrides` are (unit key, treatment),
    sorted by unit key. `shared_salt` declares that its salt is deliberately another's too. `kept`
    is as in a flag.
    """

    key: str
    iterations: tuple[Iteration, ...]
    name: str = ""
    description: str = ""
    unit: str = "user"
    layer: str | None = None
    holdout: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    keeps_assignments: bool = False
    ignore_targeting: bool = False
    intake_open: bool = True
    shared_salt: bool = False
    archived: bool = False
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def live(self) -> Iteration | None:
        """The iteration that assigns: the running or paused one, of which there is at most one."""
        for iteration in self.iterations:
            if iteration.state in _LIVE:
                return iteration
        return None

    @property
    def draft(self) -> Iteration | None:
        """The iteration that is being prepared, of which there is at most one, the last."""
        last = self.iterations[-1]
        return last if last.state is State.DRAFT else None

    @property
    def current(self) -> Iteration:
        """The iteration an edit means when it names none: the live one, else the last."""
        return self.live or self.iterations[-1]
